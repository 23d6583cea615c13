"""Folded weights as a checkpoint to train from: a model that export.py wrote, or a MobileNet of ImageNet.

    python import_weights.py ../models/fastdepth.onnx --data DIR --out START/checkpoint.pt
    python import_weights.py mobilenet-v1-imagenet.npz --data DIR --out START/checkpoint.pt

Of an .onnx the whole network is taken: MobileNet with a depthwise NNConv decoder. Of an .npz the encoder of
fastdepth-full is: `conv0_conv/weight`, `conv1_depthwise/weight`, `conv1_pointwise/weight` to 13, each [out, in,
h, w] with a `bias`; its decoder is new. Batch normalisation is put back in (folded.py).

That MobileNet sees pictures in [-1, 1], so the network scales its input, inside the graph. TensorFlow pads a
convolution of stride 2 below and on the right only, this network on all sides. The same weights then look one
pixel further up and left, which is a shift and no other function; only the features at the border differ.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from export import MIDDLE
from folded import picture_batches, unfold
from netadapt import save
from network import CONFIGURATIONS, DepthNetwork
from sets import open_sets

ENCODER_CONVS = 27


def tensor(array):
    return torch.from_numpy(np.array(array, np.float32))


def read_onnx(path):
    """Weight and bias of every convolution in the order of the graph, the least output in metres, and whether
    the network sees pictures in [-1, 1]."""
    graph = onnx.load(path).graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    constants = {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == 'Constant'}
    values.update(constants)
    convs = [[tensor(values[name]) for name in n.input[1:]] for n in graph.node if n.op_type == 'Conv']
    first = next(n for n in graph.node if n.op_type == 'Conv')
    behind = list(graph.node)[1 + max(i for i, n in enumerate(graph.node) if n.op_type == 'Conv') :]
    clips = [n for n in behind if n.op_type == 'Clip']
    before = {n.op_type for n in list(graph.node)[: list(graph.node).index(first)]}
    if 'Div' not in before:
        take_bytes_back(convs[0], symmetric='Pad' in before)
    return convs, round(float(values[clips[0].input[1]]), 6) if clips else 0.0, 'Pad' in before


def take_bytes_back(conv, symmetric):
    """Weights for pictures in [0, 1] or [-1, 1], in place; see take_bytes of export.py."""
    conv[0] *= MIDDLE if symmetric else 255
    if symmetric:
        conv[1] += conv[0].sum((1, 2, 3))


def network_of_onnx(path, batches):
    (*body, head), least, symmetric = read_onnx(path)
    if len(body) != ENCODER_CONVS + 10:
        raise ValueError(f'{path}: {len(body)} convolutions, not those of MobileNet with depthwise NNConv')
    outputs = [len(weight) for weight, _ in body]
    network = DepthNetwork(
        decoder=f'nnconv{body[ENCODER_CONVS][0].shape[-1]}',
        encoder_channels=(outputs[0], *outputs[2:ENCODER_CONVS:2]),
        decoder_channels=tuple(outputs[ENCODER_CONVS + 1 :: 2]),
        least=least,
        symmetric=symmetric,
    )
    with torch.no_grad():
        network.head.weight.copy_(head[0])
        network.head.bias.copy_(head[1])
    unfold(network, body, batches)
    return network


def network_of_npz(path, batches):
    """fastdepth-full with the encoder of an .npz."""
    arrays = np.load(path)
    names = ['conv0_conv', *(f'conv{n}_{kind}' for n in range(1, 14) for kind in ('depthwise', 'pointwise'))]
    folded = [[tensor(arrays[f'{name}/{part}']) for part in ('weight', 'bias')] for name in names]
    network = DepthNetwork(**CONFIGURATIONS['fastdepth-full'], symmetric=True)
    unfold(network, folded, batches)
    return network


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('weights', type=Path, help='.onnx or .npz')
    parser.add_argument('--data', required=True, help='folder of the sets: pictures to measure statistics on')
    parser.add_argument('--pictures', type=int, default=500, help='how many of them')
    parser.add_argument('--out', required=True, type=Path)
    args = parser.parse_args()
    batches = picture_batches(open_sets(args.data, 'train').values(), args.pictures)
    torch.manual_seed(0)
    read = network_of_npz if args.weights.suffix == '.npz' else network_of_onnx
    network = read(args.weights, batches)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save(network, args.out)


if __name__ == '__main__':
    main()
