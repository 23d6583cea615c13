"""The FastDepth family (Wofk et al., ICRA 2019): an encoder, five decoder stages, a pointwise layer."""

import torch
from torch import nn
from torch.nn import functional

from decoders import ConvThenUp, build_stage
from encoders import build_encoder

PRUNED_ENCODER = (16, 56, 88, 120, 144, 256, 408, 376, 272, 288, 296, 328, 480, 512)
PRUNED_DECODER = (200, 256, 120, 56, 16)

# The networks by name: what to pass to DepthNetwork.
CONFIGURATIONS = {
    'fastdepth': {
        'encoder': 'mobilenet',
        'encoder_channels': PRUNED_ENCODER,
        'decoder_channels': PRUNED_DECODER,
    },
    'fastdepth-full': {'encoder': 'mobilenet'},
    **{
        f'{encoder}-nnconv5': {'encoder': encoder, 'depthwise': False, 'skips': 'none'}
        for encoder in ('resnet50', 'resnet18', 'mobilenet')
    },
    **{
        f'{encoder}-nnconv5dw': {'encoder': encoder, 'skips': 'none'}
        for encoder in ('resnet50', 'resnet18', 'mobilenet')
    },
    **{
        f'mobilenet-{decoder}': {'decoder': decoder, 'depthwise': False, 'skips': 'none'}
        for decoder in ('upproj', 'upconv', 'deconv5', 'deconv3', 'blconv5', 'nnconv3')
    },
    'mobilenet-nnconv5dw-skipconcat': {'encoder': 'mobilenet', 'skips': 'concat'},
}

# What the paper compares, each a group of the names above.
ABLATIONS = {
    'encoder': ('resnet50-nnconv5', 'resnet18-nnconv5', 'mobilenet-nnconv5'),
    'decoder': (
        *(f'mobilenet-{d}' for d in ('upproj', 'upconv', 'deconv5', 'deconv3', 'blconv5')),
        *(f'mobilenet-{d}' for d in ('nnconv3', 'nnconv5', 'nnconv5dw')),
    ),
    'skips': ('mobilenet-nnconv5dw', 'mobilenet-nnconv5dw-skipconcat', 'fastdepth-full'),
    'pruning': ('fastdepth-full', 'fastdepth'),
}


class DepthNetwork(nn.Module):
    """RGB in [0, 1], [N, 3, H, W], to metres, [N, 1, H, W]; H and W are multiples of 32.

    encoder            mobilenet, resnet18, resnet50
    decoder            nnconv5, nnconv3, blconv5, deconv5, deconv3, upconv, upproj
    depthwise          depthwise-separable instead of dense convolutions in the decoder
    skips              none, add, concat: encoder features at 1/8, 1/4, 1/2 into the decoder
    encoder_channels   other than the published numbers, for a pruned network
    decoder_channels   of the five stages; without them, halved from stage to stage
    least              metres; smaller predictions are raised to this (not while training)
    symmetric          the encoder sees pictures in [-1, 1], as MobileNet's ImageNet weights want them
    """

    def __init__(
        self,
        encoder='mobilenet',
        decoder='nnconv5',
        depthwise=True,
        skips='add',
        encoder_channels=None,
        decoder_channels=None,
        least=0.1,
        symmetric=False,
    ):
        super().__init__()
        self.configuration = {
            'encoder': encoder,
            'decoder': decoder,
            'depthwise': depthwise,
            'skips': skips,
            'encoder_channels': encoder_channels,
            'decoder_channels': decoder_channels,
            'least': least,
            'symmetric': symmetric,
        }
        if skips not in ('none', 'add', 'concat'):
            raise ValueError(f'no skips "{skips}"; there are none, add, concat')
        self.encoder = build_encoder(encoder, encoder_channels)
        self.skips = skips
        self.least = least
        self.symmetric = symmetric
        first = self.encoder.channels
        outputs = list(decoder_channels or (first >> n for n in range(1, 6)))
        # Deepest first: the skip that joins behind stage 2, 3 and 4.
        joining = [0, *reversed(self.encoder.skip_channels), 0]
        self.stages = nn.ModuleList()
        self.projections = nn.ModuleList()
        inputs = first
        for channels, skip in zip(outputs, joining):
            self.stages.append(build_stage(decoder, inputs, channels, depthwise))
            mismatch = skips == 'add' and skip and skip != channels
            self.projections.append(
                nn.Conv2d(skip, channels, 1, bias=False) if mismatch else nn.Identity()
            )
            inputs = channels + (skip if skips == 'concat' else 0)
        self.head = nn.Conv2d(outputs[-1], 1, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.constant_(self.head.bias, 0.7)

    def forward(self, x):
        x = self.features(x)
        last = self.stages[-1]
        if isinstance(last, ConvThenUp):
            # The pointwise head and the interpolation commute; in this order the head is a quarter.
            return self.metres(last.upsample(self.head(last.convolve(x))))
        return self.metres(self.head(last(x)))

    def half(self, x):
        """
        As forward, but before the last interpolation: [N, 1, H/2, W/2]. For training. Where the last stage learns how to
        enlarge: the mean of each four pixels.
        """
        last = self.stages[-1]
        if isinstance(last, ConvThenUp):
            return self.metres(self.head(last.convolve(self.features(x))))
        return functional.avg_pool2d(self.forward(x), 2)

    def features(self, x):
        """What goes into the last stage."""
        x, skips = self.encoder(2 * x - 1 if self.symmetric else x)
        for index in range(4):
            x = self.stages[index](x)
            if index:
                x = self.join(x, skips[3 - index], self.projections[index])
        return x

    def join(self, x, skip, projection):
        if self.skips == 'add':
            return x + projection(skip)
        if self.skips == 'concat':
            return torch.cat((x, skip), 1)
        return x

    def metres(self, x):
        return x if self.training else x.clamp(min=self.least)


def build(name):
    """A network of the paper by its name."""
    return DepthNetwork(**CONFIGURATIONS[name])


def load_network(checkpoint):
    """The averaged network of a checkpoint that train.py or netadapt.py wrote, ready for inference."""
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    network = DepthNetwork(**state['configuration'])
    network.load_state_dict(state['average'])
    return network.eval()
