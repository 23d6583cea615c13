"""What the layers of a network cost on a device.

    python latency.py --start DIR/checkpoint.pt --out LAYERS
    depthline bench-layers LAYERS --out latency.json      # on the device
    python netadapt.py --latency latency.json ...

The first writes every convolution of the network, at several numbers of channels, as a model of its own,
and layers.json, a list of

    {"file", "kind": "conv" | "depthwise" | "pointwise", "inputs", "outputs", "kernel", "stride", "size"}

The second adds "ms" to each.
"""

import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

from export import OPSET
from network import load_network
from preprocessing import SIZE

MULTIPLE = 8  # of channels, which suits SIMD


def layer_shapes(network, size=SIZE):
    """Every convolution as the latency table describes it, without ms."""
    shapes = []

    def note(conv, inputs, output):
        kind = 'depthwise' if conv.groups > 1 else 'pointwise' if conv.kernel_size == (1, 1) else 'conv'
        shapes.append(
            {
                'kind': kind,
                'inputs': conv.in_channels,
                'outputs': conv.out_channels,
                'kernel': conv.kernel_size[0],
                'stride': conv.stride[0],
                'size': inputs[0].shape[-1],
            }
        )

    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    hooks = [conv.register_forward_hook(note) for conv in convs]
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return shapes


class LatencyTable:
    """Milliseconds of a network, from layers measured on a device.

    Between measured numbers of channels, the nearest measured layer is scaled by its share of the work.
    """

    def __init__(self, rows):
        self.rows = rows

    @staticmethod
    def read(path):
        """What `depthline bench-layers` wrote."""
        return LatencyTable(json.loads(Path(path).read_text())['layers'])

    def __call__(self, network):
        return sum(self.layer(shape) for shape in layer_shapes(network))

    def layer(self, shape):
        same = ('kind', 'kernel', 'stride', 'size')
        rows = [row for row in self.rows if all(row[k] == shape[k] for k in same)]
        if not rows:
            wanted = ', '.join(f'{k} {shape[k]}' for k in same)
            raise ValueError(f'the latency table has no layer with {wanted}; measure it')
        nearest = min(rows, key=lambda row: abs(np.log(work(row) / work(shape))))
        return nearest['ms'] * work(shape) / work(nearest)


def work(shape):
    return shape['outputs'] * (1 if shape['kind'] == 'depthwise' else shape['inputs'])


def layers_to_measure(network, shares):
    """Every convolution at each share of its channels, inputs and outputs apart, none twice."""

    def some(count):
        return sorted({max(MULTIPLE, round(count * share / MULTIPLE) * MULTIPLE) for share in shares})

    found = {}
    for shape in layer_shapes(network):
        inputs = [shape['inputs']] if shape['inputs'] == 3 else some(shape['inputs'])
        outputs = [shape['outputs']] if shape['outputs'] == 1 else some(shape['outputs'])
        depthwise = shape['kind'] == 'depthwise'
        for i, o in [(n, n) for n in inputs] if depthwise else product(inputs, outputs):
            layer = {**shape, 'inputs': i, 'outputs': o}
            found[tuple(layer.values())] = layer
    return list(found.values())


def layer_model(layer):
    """One convolution with its bias and ReLU: float32 [1, inputs, size, size]. Its weights are all alike."""
    depthwise = layer['kind'] == 'depthwise'
    kernel = layer['kernel']
    weight = [layer['outputs'], 1 if depthwise else layer['inputs'], kernel, kernel]
    sizes = {'weight': weight, 'bias': [layer['outputs']]}
    constants = [
        helper.make_node('ConstantOfShape', [f'{name}_shape'], [name], value=alike(0.01)) for name in sizes
    ]
    convolution = helper.make_node(
        'Conv',
        ['x', 'weight', 'bias'],
        ['convolved'],
        group=layer['inputs'] if depthwise else 1,
        kernel_shape=[kernel, kernel],
        strides=[layer['stride']] * 2,
        pads=[kernel // 2] * 4,
    )
    size = layer['size']
    graph = helper.make_graph(
        [*constants, convolution, helper.make_node('Relu', ['convolved'], ['y'])],
        'layer',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, layer['inputs'], size, size])],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)],
        [helper.make_tensor(f'{n}_shape', TensorProto.INT64, [len(s)], s) for n, s in sizes.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)])
    model.ir_version = 8
    return model


def alike(value):
    return helper.make_tensor('value', TensorProto.FLOAT, [1], [value])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--start', required=True, help='checkpoint.pt of the network to prune')
    parser.add_argument('--out', required=True, type=Path, help='folder for the layers')
    parser.add_argument('--shares', type=float, nargs='+', default=[1, 0.75, 0.5, 0.25], help='of the channels')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    layers = layers_to_measure(load_network(args.start), args.shares)
    for number, layer in enumerate(layers):
        layer['file'] = f'{number:04}.onnx'
        onnx.save(layer_model(layer), args.out / layer['file'])
    (args.out / 'layers.json').write_text(json.dumps(layers, indent=1))
    print(f'{len(layers)} layers; measure them on the device: depthline bench-layers {args.out} --out latency.json')


if __name__ == '__main__':
    main()
