"""Writes a network as ONNX: uint8 [1, H, W, 3] RGB named `rgb` in, float32 metres [1, 1, H, W] named `depth` out.

    python export.py --checkpoint DIR/checkpoint.pt --out ../models/fastdepth.onnx

With `--batch dynamic` it takes any number of pictures at a time, [batch, H, W, 3]. With `--steep` blurred edges are
made steep inside the graph (steepen.py).

Scaling to [0, 1] is inside, in the first convolution where it can be, batch normalisation is folded into the convolutions, and the last pointwise
layer stands before the last interpolation. The file is then compared with PyTorch. Beside it belongs a
manifest, see write_manifest.py.
"""

import argparse
import copy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from decoders import ConvThenUp
from network import load_network
from preprocessing import SIZE
from steepen import steepen

OPSET = 15  # understood by onnxruntime from 1.10 on
TOLERANCE = 1e-4  # metres
MIDDLE = 127.5  # between black and white


class Contract(nn.Module):
    """What a pipeline calls: a picture's own bytes in, metres out. scale: of the bytes, for the network."""

    def __init__(self, network, steep=False, scale=255):
        super().__init__()
        self.scale = scale
        self.network = network
        self.steep = steep

    def forward(self, rgb):
        x = rgb.permute(0, 3, 1, 2).float()
        if self.scale != 1:
            x = x / self.scale
        if not self.steep:
            return self.network(x)
        # At the size of the last convolution: the interpolation behind it adds nothing.
        return self.network.stages[-1].upsample(steepen(self.network.half(x)))


def take_bytes(network):
    """The first convolution of a folded network, in place, with the scaling of the bytes in its weights."""
    first = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    if not network.symmetric:
        first.weight = nn.Parameter(first.weight / 255)
        return network
    # 2x/255 - 1 is 0, as padding is, in the middle between black and white.
    first.bias = nn.Parameter(first.bias - first.weight.sum((1, 2, 3)))
    first.weight = nn.Parameter(first.weight / MIDDLE)
    network.encoder = nn.Sequential(nn.ConstantPad2d(first.padding[0], MIDDLE), network.encoder)
    first.padding = (0, 0)
    network.symmetric = False
    return network


def fold(network):
    """A copy whose convolutions hold their batch normalisation; only for inference."""
    network = copy.deepcopy(network).cpu().eval()
    for parent in network.modules():
        if not isinstance(parent, nn.Sequential):
            continue
        for index in range(len(parent) - 1):
            conv, norm = parent[index], parent[index + 1]
            if isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(conv, nn.ConvTranspose2d)
                parent[index] = fuse_grouped(conv, norm) if transposed else fuse_conv_bn_eval(conv, norm)
                parent[index + 1] = nn.Identity()
    return network


def fuse_grouped(conv, norm):
    """As fuse_conv_bn_eval, for a transposed convolution, whose weights are [inputs, outputs / groups, k, k]."""
    fused = copy.deepcopy(conv)
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    per_group = scale.reshape(conv.groups, -1).repeat_interleave(conv.in_channels // conv.groups, 0)
    fused.weight = nn.Parameter(conv.weight * per_group[:, :, None, None])
    fused.bias = nn.Parameter(norm.bias - norm.running_mean * scale)
    return fused


def export(network, path, height=SIZE, width=SIZE, batch='1', steep=False):
    """Writes and checks; returns the largest difference from PyTorch, in metres. Batch: '1' or 'dynamic'."""
    if steep and not isinstance(network.stages[-1], ConvThenUp):
        raise ValueError('only a decoder that repeats or mixes pixels in the end can have steep edges')
    contract = Contract(take_bytes(fold(network)), steep, scale=1).eval()
    rgb = torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8)
    with torch.no_grad():
        torch.onnx.export(
            contract,
            (rgb,),
            str(path),
            input_names=['rgb'],
            output_names=['depth'],
            opset_version=OPSET,
            dynamo=False,
            dynamic_axes={name: {0: 'batch'} for name in ('rgb', 'depth')} if batch == 'dynamic' else None,
        )
    model = onnx.load(path)
    model.doc_string = 'RGB to depth in metres'
    model.producer_name = 'depthline training/export.py'
    model.producer_version = ''
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    if batch == 'dynamic':
        rgb = torch.cat([rgb, 255 - rgb, rgb.flip(1)])
    difference = compare(Contract(network, steep), path, rgb)
    if difference > TOLERANCE:
        raise RuntimeError(f'{path} differs from PyTorch by {difference:.2g} m')
    return difference


@torch.no_grad()
def rescale(network, factor):
    """All metres times a factor, in place."""
    network.head.weight.mul_(factor)
    network.head.bias.mul_(factor)
    return network


def compare(contract, path, rgb):
    """Largest difference between PyTorch, not folded, and ONNX Runtime on these pictures."""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    found = session.run(None, {'rgb': rgb.numpy()})[0]
    with torch.no_grad():
        wanted = contract.eval()(rgb).numpy()
    return float(np.abs(found - wanted).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoint', required=True, type=Path, help='checkpoint.pt of train.py')
    parser.add_argument('--out', required=True, type=Path)
    parser.add_argument('--scale', type=float, default=1, help='all metres times this, see scale.py')
    parser.add_argument(
        '--batch', choices=['1', 'dynamic'], default='1', help='pictures that the model takes at a time'
    )
    parser.add_argument('--steep', action='store_true', help='make edges steep, see steepen.py')
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    difference = export(rescale(load_network(args.checkpoint), args.scale), args.out, batch=args.batch, steep=args.steep)
    size = args.out.stat().st_size / 1e6
    print(f'{args.out}: {size:.2f} MB, at most {difference:.1e} m from PyTorch')


if __name__ == '__main__':
    main()
