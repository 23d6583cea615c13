"""Writes a network for two lenses as ONNX.

    python export_stereo.py --checkpoint DIR/checkpoint.pt --out ../models/fastdepth-stereo.onnx

uint8 [1, 224, 320, 3] RGB twice, `left` and `right`, rectified, in; float32 [1, 1, 224, 320] `disparity` out, pixels
of that width. Batch normalisation is folded in; the file is compared with PyTorch.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from evaluate import onnx_session
from export import OPSET, fold
from stereo_network import load_stereo

HEIGHT, WIDTH = 224, 320
TOLERANCE = 1e-3  # pixels


class StereoContract(nn.Module):
    """What a pipeline calls: the pictures' own bytes in, pixels out."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, left, right):
        eyes = (eye.permute(0, 3, 1, 2).float() / 255 for eye in (left, right))
        fine, _ = self.network.disparities_of(*eyes)
        return self.network.whole(fine)


def export(network, path, height=HEIGHT, width=WIDTH):
    """Writes and checks; returns the largest difference from PyTorch, in pixels."""
    contract = StereoContract(fold(network)).eval()
    eyes = tuple(torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8) for _ in range(2))
    with torch.no_grad():
        torch.onnx.export(
            contract,
            eyes,
            str(path),
            input_names=['left', 'right'],
            output_names=['disparity'],
            opset_version=OPSET,
            dynamo=False,
        )
        wanted = StereoContract(network).eval()(*eyes).numpy()
    model = onnx.load(path)
    model.doc_string = 'Two rectified pictures to disparity in pixels'
    model.producer_name = 'depthline training/export_stereo.py'
    model.producer_version = ''
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    found = onnx_session(str(path)).run(None, {'left': eyes[0].numpy(), 'right': eyes[1].numpy()})[0]
    difference = float(np.abs(found - wanted).max())
    if difference > TOLERANCE:
        raise RuntimeError(f'{path} differs from PyTorch by {difference:.2g} pixels')
    return difference


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoint', required=True, type=Path, help='checkpoint.pt of train_stereo.py')
    parser.add_argument('--out', required=True, type=Path)
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    difference = export(load_stereo(args.checkpoint), args.out)
    print(f'{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, at most {difference:.1e} pixels from PyTorch')


if __name__ == '__main__':
    main()
