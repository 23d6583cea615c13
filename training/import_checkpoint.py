"""A checkpoint of the FastDepth authors as ONNX and manifest.

    python import_checkpoint.py mobilenet-nnconv5dw-skipadd-pruned.pth.tar --out fastdepth-authors.onnx

They pickle the whole module under `model`. Nothing in the file is run (see safe_pickle.py): its tensors are
taken in the order of the layers, and the numbers of channels follow from their shapes. MobileNet with the
NNConv decoders is read, dense or depthwise, without skips, with added or with concatenated ones.
"""

import argparse
import hashlib
from pathlib import Path

import torch
import yaml

from counting import count_macs, count_parameters
from export import export
from network import DepthNetwork
from safe_pickle import Record, Tensor, read_checkpoint

SKIPS = {'MobileNet': 'none', 'MobileNetSkipAdd': 'add', 'MobileNetSkipConcat': 'concat'}
ENCODER_CONVS = 27
NORM = ('weight', 'bias', 'running_mean', 'running_var')


def leaves(record, name=''):
    """Modules with tensors of their own, in order: pairs of name and {tensor name: torch tensor}."""
    attributes = record.attributes
    own = {**attributes.get('_parameters', {}), **attributes.get('_buffers', {})}
    tensors = {k: torch.from_numpy(v.array()) for k, v in own.items() if isinstance(v, Tensor)}
    if tensors:
        yield name, tensors
    for child, module in attributes.get('_modules', {}).items():
        if isinstance(module, Record):
            yield from leaves(module, f'{name}.{child}' if name else child)


def conv_norm_pairs(record):
    """Each convolution's weight with its batch normalisation."""
    found = list(leaves(record))
    pairs = []
    for (name, conv), (_, norm) in zip(found[::2], found[1::2]):
        if conv['weight'].ndim != 4 or 'running_mean' not in norm:
            raise ValueError(f'layer {name}: expected a convolution and its batch normalisation')
        pairs.append((conv['weight'], norm))
    return pairs


def import_network(path):
    """The network of a checkpoint, ready for inference."""
    saved = read_checkpoint(path)
    module = saved.get('model') if isinstance(saved, dict) else None
    if not isinstance(module, Record):
        raise ValueError(f'{path}: holds no module under "model"')
    if module.class_name == 'DataParallel':
        module = module.attributes['_modules']['module']
    if module.class_name not in SKIPS:
        raise ValueError(f'{path}: holds a {module.class_name}; {", ".join(SKIPS)} are read')
    pairs = conv_norm_pairs(module)
    decoder = pairs[ENCODER_CONVS:]
    depthwise = len(decoder) == 11
    if len(decoder) not in (6, 11):
        raise ValueError(f'{path}: {len(pairs)} convolutions, which is no MobileNet with NNConv')
    kernel = decoder[0][0].shape[-1]
    outputs = [weight.shape[0] for weight, _ in pairs]
    encoder_channels = [outputs[0], *outputs[2:ENCODER_CONVS:2]]
    decoder_channels = outputs[ENCODER_CONVS:-1]
    network = DepthNetwork(
        decoder=f'nnconv{kernel}',
        depthwise=depthwise,
        skips=SKIPS[module.class_name],
        encoder_channels=encoder_channels,
        decoder_channels=decoder_channels[1::2] if depthwise else decoder_channels,
        least=0.0,  # their last layer ends in ReLU
    )
    unclip(network.stages)
    fill(network, pairs)
    return network.eval()


def unclip(modules):
    """ReLU for ReLU6: what the authors' decoders have."""
    for parent in modules.modules():
        for name, child in parent.named_children():
            if isinstance(child, torch.nn.ReLU6):
                setattr(parent, name, torch.nn.ReLU(inplace=True))


@torch.no_grad()
def fill(network, pairs):
    *body, (head, norm) = pairs
    convs = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)][:-1]
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for conv, own_norm, (weight, theirs) in zip(convs, norms, body, strict=True):
        conv.weight.copy_(weight)
        for name in NORM:
            getattr(own_norm, name).copy_(theirs[name])
    # Ours has no normalisation behind the head, so theirs is folded into it.
    scale = norm['weight'] * torch.rsqrt(norm['running_var'] + 1e-5)
    network.head.weight.copy_(head * scale[:, None, None, None])
    network.head.bias.copy_(norm['bias'] - norm['running_mean'] * scale)


def manifest(network, onnx):
    """What stands beside the .onnx."""
    return {
        'name': onnx.stem,
        'file': onnx.name,
        'sha256': hashlib.sha256(onnx.read_bytes()).hexdigest(),
        'licence': "the authors' (dwofk/fast-depth, MIT); trained on NYU Depth v2, research use",
        'input': {
            'name': 'rgb',
            'layout': 'NHWC',
            'dtype': 'uint8',
            'width': 224,
            'height': 224,
            'channels': 'RGB',
            'view': '4:3',
        },
        'output': {'name': 'depth', 'meaning': 'metres', 'range': [0.1, 10]},
        'parameters': count_parameters(network),
        'macs': count_macs(network),
        'card': 'Imported from a checkpoint of the FastDepth authors.\n',
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('--out', required=True, type=Path, help='.onnx; the manifest goes beside it')
    args = parser.parse_args()
    try:
        network = import_network(args.checkpoint)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    export(network, args.out)
    written = args.out.with_suffix('.yaml')
    written.write_text(yaml.safe_dump(manifest(network, args.out), sort_keys=False))
    print(f'{args.out}, {written}')


if __name__ == '__main__':
    main()
