"""Losses between predicted and wanted metres, [N, 1, H, W]; where the wanted is 0 there is no loss."""

import torch

LEAST = 0.05  # metres


def depth_loss(predicted, wanted, metric=0.15, gradient=0.5):
    """Mean error of log-depth, plus `metric` of that of depth, plus `gradient` of that of log-depth's slopes.

    The slopes of the error, not of depth: a smooth error costs little, a blurred or shifted edge much.
    """
    mask = (wanted > LEAST).float()
    count = mask.sum().clamp(min=1)
    predicted, wanted = predicted.clamp(min=LEAST), wanted.clamp(min=LEAST)
    error = predicted.log() - wanted.log()
    across = (error[..., 1:] - error[..., :-1]).abs() * mask[..., 1:] * mask[..., :-1]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * mask[..., 1:, :] * mask[..., :-1, :]
    flat = (error.abs() * mask).sum() + metric * ((predicted - wanted).abs() * mask).sum()
    return (flat + gradient * (across.sum() + down.sum())) / count


def berhu_loss(predicted, wanted):
    """Reverse Huber (Laina et al. 2016): L1 up to a fifth of the greatest error, squared above."""
    mask = wanted > LEAST
    if not mask.any():
        return predicted.sum() * 0
    error = (predicted - wanted).abs()[mask]
    knee = (error.max() / 5).detach().clamp(min=1e-6)
    return torch.where(error <= knee, error, (error**2 + knee**2) / (2 * knee)).mean()


def l1_loss(predicted, wanted):
    """The paper's."""
    mask = wanted > LEAST
    return (predicted - wanted).abs()[mask].mean() if mask.any() else predicted.sum() * 0


LOSSES = {'depth': depth_loss, 'berhu': berhu_loss, 'l1': l1_loss}
