"""Decoder stages: each doubles the size of its features and gives them another number of channels.

NNConv and BLConv convolve first and interpolate after, which costs a quarter of the other order.
Such a stage keeps the two apart (`convolve`, `upsample`), so that whatever is pointwise can be moved
in front of the interpolation. DeConv, UpConv and UpProj (Laina et al. 2016) enlarge first.
"""

import torch
from torch import nn
from torch.nn import functional as F

from encoders import conv_bn, separable


class ConvThenUp(nn.Module):
    """Convolution, then interpolation by 2."""

    def __init__(self, inputs, outputs, depthwise, kernel, mode):
        super().__init__()
        make = separable if depthwise else conv_bn
        self.conv = make(inputs, outputs, kernel)
        self.mode = mode

    def convolve(self, x):
        return self.conv(x)

    def upsample(self, x):
        corners = {'align_corners': False} if self.mode == 'bilinear' else {}
        return F.interpolate(x, scale_factor=2, mode=self.mode, **corners)

    def forward(self, x):
        return self.upsample(self.convolve(x))


class DeConv(nn.Module):
    """Transposed convolution of stride 2; depthwise, it is followed by a pointwise convolution."""

    def __init__(self, inputs, outputs, depthwise, kernel):
        super().__init__()
        middle = inputs if depthwise else outputs
        groups = inputs if depthwise else 1
        self.up = nn.Sequential(
            nn.ConvTranspose2d(
                inputs, middle, kernel, 2, kernel // 2, 1, groups=groups, bias=False
            ),
            nn.BatchNorm2d(middle),
            nn.ReLU6(inplace=True),
        )
        self.pointwise = conv_bn(inputs, outputs, 1) if depthwise else nn.Identity()

    def forward(self, x):
        return self.pointwise(self.up(x))


class Unpool(nn.Module):
    """Puts each value into the upper left of a 2 x 2 block of zeros."""

    def forward(self, x):
        zeros = torch.zeros_like(x)
        rows = torch.stack((x, zeros), -1).flatten(-2)
        return torch.stack((rows, torch.zeros_like(rows)), -2).flatten(-3, -2)


class UpConv(nn.Module):
    def __init__(self, inputs, outputs, depthwise):
        super().__init__()
        make = separable if depthwise else conv_bn
        self.body = nn.Sequential(Unpool(), make(inputs, outputs, 5))

    def forward(self, x):
        return self.body(x)


class UpProj(nn.Module):
    """UpConv with a second branch beside it."""

    def __init__(self, inputs, outputs, depthwise):
        super().__init__()
        make = separable if depthwise else conv_bn
        self.unpool = Unpool()
        self.long = nn.Sequential(make(inputs, outputs, 5), make(outputs, outputs, 3))
        self.short = make(inputs, outputs, 5)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.unpool(x)
        return self.act(self.long(x) + self.short(x))


STAGES = {
    'nnconv5': lambda i, o, dw: ConvThenUp(i, o, dw, 5, 'nearest'),
    'nnconv3': lambda i, o, dw: ConvThenUp(i, o, dw, 3, 'nearest'),
    'blconv5': lambda i, o, dw: ConvThenUp(i, o, dw, 5, 'bilinear'),
    'deconv5': lambda i, o, dw: DeConv(i, o, dw, 5),
    'deconv3': lambda i, o, dw: DeConv(i, o, dw, 3),
    'upconv': UpConv,
    'upproj': UpProj,
}


def build_stage(name, inputs, outputs, depthwise):
    if name not in STAGES:
        raise ValueError(f'no decoder "{name}"; there are {", ".join(STAGES)}')
    return STAGES[name](inputs, outputs, depthwise)
