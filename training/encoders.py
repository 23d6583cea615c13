"""Encoders: a picture [N, 3, H, W] to features at 1/32, and the features at 1/2, 1/4 and 1/8 for skips."""

import torch
from torch import nn
from torch.nn import functional as F

MOBILENET = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
MOBILENET_STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
MOBILENET_SKIPS = (1, 3, 5)


class BfloatDepthwise(torch.autograd.Function):
    """A depthwise convolution in bfloat16 whose slow gradients are taken in float32.

    PyTorch 2.13 on a CPU takes three times as long for the weights' gradient in bfloat16 as in float32, and
    ten times for the input's at stride 2.
    """

    @staticmethod
    def forward(ctx, x, weight, stride, padding):
        x = x.bfloat16()
        ctx.save_for_backward(x, weight)
        ctx.options = [stride, padding, [1, 1], False, [0, 0], len(weight)]
        return F.conv2d(x, weight.bfloat16(), None, stride, padding, 1, len(weight))

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        exact = gradient.float(), x.float(), weight
        rough = gradient, x, weight.bfloat16()
        of_input = exact if ctx.options[0] != [1, 1] else rough
        backward = torch.ops.aten.convolution_backward
        to_x, _, _ = backward(*of_input, None, *ctx.options, [True, False, False])
        _, to_weight, _ = backward(*exact, None, *ctx.options, [False, True, False])
        return to_x.bfloat16(), to_weight, None, None


class Depthwise(nn.Conv2d):
    """One filter a channel."""

    def forward(self, x):
        if self.training and torch.is_autocast_enabled('cpu') and not x.is_cuda:
            return BfloatDepthwise.apply(x, self.weight, list(self.stride), list(self.padding))
        return super().forward(x)


def conv_bn(inputs, outputs, kernel, stride=1, groups=1, act=nn.ReLU6):
    """Convolution with 'same' padding, batch normalisation, and an activation unless act is None."""
    conv = Depthwise if groups == inputs == outputs else nn.Conv2d
    layers = [
        conv(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, act(inplace=True)) if act else nn.Sequential(*layers)


def separable(inputs, outputs, kernel, stride=1):
    """Depthwise convolution, then a pointwise one."""
    return nn.Sequential(
        conv_bn(inputs, inputs, kernel, stride, groups=inputs), conv_bn(inputs, outputs, 1)
    )


class MobileNet(nn.Module):
    """MobileNet v1 (Howard et al. 2017) without its classifier; channels are those of its 14 layers."""

    def __init__(self, channels=MOBILENET):
        super().__init__()
        if len(channels) != len(MOBILENET):
            raise ValueError(f'MobileNet has {len(MOBILENET)} layers, not {len(channels)}')
        self.layers = nn.ModuleList([conv_bn(3, channels[0], 3, MOBILENET_STRIDES[0])])
        for before, after, stride in zip(channels, channels[1:], MOBILENET_STRIDES[1:]):
            self.layers.append(separable(before, after, 3, stride))
        self.channels = channels[-1]
        self.skip_channels = [channels[i] for i in MOBILENET_SKIPS]

    def forward(self, x):
        skips = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in MOBILENET_SKIPS:
                skips.append(x)
        return x, skips


class BasicBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(inputs, width, 3, stride, act=nn.ReLU), conv_bn(width, width, 3, act=None)
        )
        self.shortcut = shortcut(inputs, width, stride)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.body(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(inputs, width, 1, act=nn.ReLU),
            conv_bn(width, width, 3, stride, act=nn.ReLU),
            conv_bn(width, 4 * width, 1, act=None),
        )
        self.shortcut = shortcut(inputs, 4 * width, stride)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.body(x) + self.shortcut(x))


def shortcut(inputs, outputs, stride):
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return conv_bn(inputs, outputs, 1, stride, act=None)


class ResNet(nn.Module):
    """ResNet (He et al. 2016) without its classifier; widths are those of the stem and the four stages."""

    def __init__(self, block, depths, channels=(64, 64, 128, 256, 512)):
        super().__init__()
        self.stem = conv_bn(3, channels[0], 7, 2, act=nn.ReLU)
        self.pool = nn.MaxPool2d(3, 2, 1)
        expansion = 4 if block is Bottleneck else 1
        self.stages = nn.ModuleList()
        inputs = channels[0]
        for index, (width, depth) in enumerate(zip(channels[1:], depths)):
            blocks = []
            for position in range(depth):
                blocks.append(block(inputs, width, 2 if index and not position else 1))
                inputs = width * expansion
            self.stages.append(nn.Sequential(*blocks))
        self.channels = inputs
        self.skip_channels = [channels[0], channels[1] * expansion, channels[2] * expansion]

    def forward(self, x):
        skips = [self.stem(x)]
        x = self.pool(skips[0])
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        return x, skips[:3]


def build_encoder(name, channels=None):
    """name: mobilenet, resnet18 or resnet50; channels: other numbers than the published ones."""
    given = {'channels': tuple(channels)} if channels else {}
    if name == 'mobilenet':
        return MobileNet(**given)
    if name == 'resnet18':
        return ResNet(BasicBlock, (2, 2, 2, 2), **given)
    if name == 'resnet50':
        return ResNet(Bottleneck, (3, 4, 6, 3), **given)
    raise ValueError(f'no encoder "{name}"; there are mobilenet, resnet18, resnet50')
