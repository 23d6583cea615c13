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


def structure_loss(predicted, wanted, metric=1.0, trim=0.0, invariant=0.5, gradient=0.5, scales=3):
    """Per picture [N]: error of log depth in metres, up to scale, and of its slopes at several scales.

    metric     weight of the error in metres, a number or one per picture; what is missing from 1 goes to the
               scale-invariant error (the deviation of the error of log depth)
    trim       share of the pixels, those of greatest error in metres, that the first term leaves out
    """
    mask = (wanted > LEAST).float()
    count = mask.sum((1, 2, 3)).clamp(min=1)
    error = (predicted.clamp(min=LEAST).log() - wanted.clamp(min=LEAST).log()) * mask
    mean = error.sum((1, 2, 3)) / count
    deviation = ((error.square().sum((1, 2, 3)) / count - mean.square()).clamp(min=0) + 1e-6).sqrt()
    slopes = sum(slope_error(error, mask, 2**n) for n in range(scales))
    kept = mask * within_the_best(error.abs(), 1 - trim)
    absolute = (error.abs() * kept).sum((1, 2, 3)) / kept.sum((1, 2, 3)).clamp(min=1)
    return metric * absolute + (invariant + 1 - metric) * deviation + gradient * slopes


def within_the_best(absolute, share):
    """1 where the error is among the least `share` of a picture's, else 0."""
    if share == 1:
        return torch.ones_like(absolute)
    flat = absolute.detach().flatten(1)
    limit = flat.kthvalue(max(1, round(share * flat.shape[1])), dim=1).values
    return (absolute <= limit[:, None, None, None]).float()


def slope_error(error, mask, step):
    """Per picture: the mean difference of the error between pixels `step` apart, across and down."""
    error, mask = error[..., ::step, ::step], mask[..., ::step, ::step]
    across, both = (error[..., 1:] - error[..., :-1]).abs(), mask[..., 1:] * mask[..., :-1]
    down, above = (error[..., 1:, :] - error[..., :-1, :]).abs(), mask[..., 1:, :] * mask[..., :-1, :]
    total = (across * both).sum((1, 2, 3)) + (down * above).sum((1, 2, 3))
    return total / mask.sum((1, 2, 3)).clamp(min=1)


def recipe_loss(predicted, teacher, truth, metric, truth_weight=2.0, trim=0.1):
    """The default model's. The truth weighs `truth_weight`, less where it has holes, the teacher 1.

    metric: per picture, the weight of the metric term for the truth.
    """
    share = (truth > LEAST).float().mean((1, 2, 3))
    taught = structure_loss(predicted, teacher, trim=trim)
    true = structure_loss(predicted, truth, metric=metric)
    return ((taught + truth_weight * share * true) / (1 + truth_weight * share)).mean()


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
