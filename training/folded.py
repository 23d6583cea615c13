"""Folded weights back into a network that can be trained.

A convolution whose batch normalisation has been folded into it has a weight and a bias. The normalisation is
put back as the identity: with mean and variance measured on pictures, and gamma = deviation,
beta = bias + mean. What the network computes stays as it was; what training needs is there again.
"""

import numpy as np
import torch
from torch import nn

from preprocessing import view


def conv_norm_pairs(network):
    """Every convolution that has a batch normalisation, with it, in the order of the layers."""
    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m is not network.head]
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    return list(zip(convs, norms, strict=True))


@torch.no_grad()
def unfold(network, folded, batches):
    """folded: weight and bias of the first layers; batches: of pictures [N, 3, H, W] in [0, 1]. In place."""
    pairs = conv_norm_pairs(network)[: len(folded)]
    for (conv, norm), (weight, bias) in zip(pairs, folded):
        if conv.weight.shape != weight.shape:
            raise ValueError(f'a layer is {tuple(weight.shape)}, not {tuple(conv.weight.shape)}')
        conv.weight.copy_(weight)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(bias)
    network.eval()
    sums = measure(network, [conv for conv, _ in pairs], batches)
    for (_, norm), (count, total, squares) in zip(pairs, sums):
        mean = total / count
        variance = (squares / count - mean**2).clamp(min=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.add_(norm.running_mean)


def measure(network, convs, batches):
    """Per convolution: number of values, and per channel their sum and the sum of their squares."""
    sums = [[0, 0, 0] for _ in convs]

    def hook(into):
        def add(_module, _inputs, output):
            values = output.double()
            into[0] += values.numel() // values.shape[1]
            into[1] = into[1] + values.sum((0, 2, 3))
            into[2] = into[2] + values.square().sum((0, 2, 3))

        return add

    hooks = [conv.register_forward_hook(hook(into)) for conv, into in zip(convs, sums)]
    for batch in batches:
        network(batch)
    for handle in hooks:
        handle.remove()
    return sums


def picture_batches(sets, count=500, batch=10, seed=0):
    """Whole views of `count` pictures, of each set as many as its share of all."""
    frames = [(s, i) for s in sets for i in range(len(s))]
    chosen = np.random.default_rng(seed).permutation(len(frames))[:count]
    for start in range(0, len(chosen), batch):
        pictures = []
        for n in chosen[start : start + batch]:
            frame_set, index = frames[n]
            pictures.append(view(frame_set.load(index)[0])[0])
        yield torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
