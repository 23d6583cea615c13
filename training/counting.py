"""Parameters and multiply-accumulates of a network."""

import torch
from torch import nn


def count_parameters(network):
    """Trainable numbers, batch normalisation included."""
    return sum(p.numel() for p in network.parameters())


def count_macs(network, height=224, width=224, channels=3):
    """Multiply-accumulates of all convolutions for one picture."""
    total = 0

    def add(layer, inputs, output):
        nonlocal total
        weights = layer.weight[0].numel()
        if isinstance(layer, nn.ConvTranspose2d):
            # Every input value meets the whole kernel.
            total += inputs[0][0].numel() * weights
        else:
            total += output[0].numel() * weights

    layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d))]
    hooks = [layer.register_forward_hook(add) for layer in layers]
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            network(torch.zeros(1, channels, height, width, device=layers[0].weight.device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return total
