"""FastDepth for two lenses: one encoder for both eyes, a correlation folded into channels, FastDepth's decoder.

A stereo network usually compares the eyes in a 4-D volume (features, disparity, height, width) and smooths it
with 3-D convolutions, which cost more than everything else (GC-Net, PSMNet). Here each group of feature
channels gives one correlation per disparity (group-wise correlation, Guo et al., CVPR 2019), and group and
disparity together are the channels of a 2-D map (as in DispNetC and MobileStereoNet-2D). Inverted residuals
(MobileNet v2) smooth it, it is added to the left eye's features, and the rest is FastDepth.
"""

import torch
from torch import nn
from torch.nn import functional as F

from decoders import build_stage
from encoders import MobileNet, conv_bn, separable
from network import PRUNED_DECODER, PRUNED_ENCODER

# By the fraction of the picture's size at which the eyes are compared: the last encoder layer that the right eye runs.
LAST_LAYER = {4: 3, 8: 5}


class InvertedResidual(nn.Module):
    """Pointwise to twice the channels, depthwise 3 x 3, pointwise back (Sandler et al., CVPR 2018)."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        wide = 2 * inputs
        self.body = nn.Sequential(
            conv_bn(inputs, wide, 1),
            conv_bn(wide, wide, 3, stride, groups=wide),
            conv_bn(wide, outputs, 1, act=None),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class Layer3d(nn.Module):
    """One 3 x 3 x 3 convolution over the volume before it is folded, and one that makes its groups as many again."""

    def __init__(self, groups, disparities, width=32):
        super().__init__()
        self.shape = groups, disparities
        self.body = nn.Sequential(
            nn.Conv3d(groups, width, 3, padding=1, bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU6(inplace=True),
            nn.Conv3d(width, groups, 1),
        )

    def forward(self, x):
        return self.body(x.unflatten(1, self.shape)).flatten(1, 2)


def correlation(left, right, groups, disparities):
    """[N, C, H, W] twice to [N, groups * disparities, H, W]: the mean product of a group at 0, 1, ... pixels.

    What the right eye sees of a point lies further left, by the disparity. Left of its border it sees 0.
    """
    count, channels, height, width = left.shape
    # One border for all shifts: as few operations as there can be in the exported graph.
    border = left.new_zeros(count, channels, height, disparities - 1)
    wide = torch.cat((border, right), 3)
    maps = []
    for shift in range(disparities):
        first = disparities - 1 - shift
        product = left * wide[..., first : first + width]
        maps.append(product.reshape(count, groups, channels // groups, height, width).mean(2))
    return torch.stack(maps, 2).flatten(1, 2)


class StereoNetwork(nn.Module):
    """Two rectified pictures, RGB in [0, 1], [N, 6, H, W], left first, to the left eye's disparity, [N, 1, H, W].

    Disparities are pixels, at least 0; H and W are multiples of 32. Up to `farthest` pixels are compared; what
    moves further is the decoder's guess.

    at          4 or 8: the eyes are compared at this fraction of the picture's size
    groups      of feature channels, each with a correlation of its own
    matching    feature channels that are compared
    width       channels of the smoothed correlation
    volume      2d, or 3d: with a 3-D convolution before folding
    """

    def __init__(
        self,
        at=4,
        groups=4,
        matching=32,
        width=64,
        volume='2d',
        farthest=64,
        encoder_channels=PRUNED_ENCODER,
        decoder_channels=PRUNED_DECODER,
        symmetric=False,
    ):
        super().__init__()
        self.configuration = {
            'at': at,
            'groups': groups,
            'matching': matching,
            'width': width,
            'volume': volume,
            'farthest': farthest,
            'encoder_channels': tuple(encoder_channels),
            'decoder_channels': tuple(decoder_channels),
            'symmetric': symmetric,
        }
        self.at, self.groups, self.symmetric = at, groups, symmetric
        self.bins = farthest // at
        self.encoder = MobileNet(encoder_channels)
        half, quarter, eighth = self.encoder.skip_channels
        compared = groups * self.bins
        self.match = nn.Conv2d({4: quarter, 8: eighth}[at], matching, 1)
        self.volume = Layer3d(groups, self.bins) if volume == '3d' else nn.Identity()
        self.near = separable(compared, width, 3)
        self.smooth = nn.Sequential(
            InvertedResidual(width, width, 8 // at), *(InvertedResidual(width, width) for _ in range(3))
        )
        self.to_eighth = nn.Conv2d(width, eighth, 1)
        self.to_quarter = nn.Conv2d(width, quarter, 1) if at == 4 else None
        self.logits = nn.Conv2d(width, self.bins, 1)
        stages, inputs = [], self.encoder.channels
        for outputs in decoder_channels:
            stages.append(build_stage('nnconv5', inputs, outputs, True))
            inputs = outputs
        self.stages = nn.ModuleList(stages)
        self.head = nn.Conv2d(inputs, 1, 1)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, pair):
        fine, _ = self.disparities(pair)
        return self.whole(fine)

    def whole(self, fine):
        return F.interpolate(fine, scale_factor=2, mode='nearest').clamp(min=0)

    def disparities(self, pair):
        """Pixels of the whole picture: [N, 1, H/2, W/2], and a first guess [N, 1, H/8, W/8]."""
        return self.disparities_of(pair[:, :3], pair[:, 3:])

    def disparities_of(self, *eyes):
        """The same of the left and the right picture, [N, 3, H, W] each."""
        last = LAST_LAYER[self.at]
        (left, skips), (right, _) = (self.shared(2 * x - 1 if self.symmetric else x, last) for x in eyes)
        volume = self.volume(correlation(self.match(left), self.match(right), self.groups, self.bins))
        near = self.near(volume)
        seen = self.smooth(near)
        if self.at == 4:
            skips[3] = left + self.to_quarter(near)
            left = self.encoder.layers[5](self.encoder.layers[4](skips[3]))
        left = left + self.to_eighth(seen)
        skips[5] = left
        for layer in self.encoder.layers[6:]:
            left = layer(left)
        guess = self.guess(seen)
        return self.decode(left, skips, guess), guess

    def shared(self, x, last):
        """The encoder up to a layer; and what the skips take."""
        skips = {}
        for index, layer in enumerate(self.encoder.layers[: last + 1]):
            x = layer(x)
            skips[index] = x
        return x, skips

    def guess(self, seen):
        """The expected disparity (soft argmin, Kendall et al., ICCV 2017)."""
        bins = torch.arange(self.bins, device=seen.device, dtype=torch.float32) * self.at
        return (self.logits(seen).float().softmax(1) * bins[None, :, None, None]).sum(1, keepdim=True)

    def decode(self, x, skips, guess):
        for index, stage in enumerate(self.stages[:4]):
            x = stage(x)
            if index:
                x = x + skips[(5, 3, 1)[index - 1]]
        rest = self.head(self.stages[4].convolve(x))
        return F.interpolate(guess, scale_factor=4, mode='bilinear', align_corners=False) + rest


def load_stereo(checkpoint):
    """The averaged network of a checkpoint that train_stereo.py wrote, ready for inference."""
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    network = StereoNetwork(**state['configuration'])
    network.load_state_dict(state['average'])
    return network.eval()


@torch.no_grad()
def start_with(network, mono):
    """Takes encoder and decoder of a trained mono network of the same widths, in place; not its last layer."""
    network.encoder.load_state_dict(mono.encoder.state_dict())
    for ours, theirs in zip(network.stages, mono.stages, strict=True):
        ours.load_state_dict(theirs.state_dict())
    return network
