"""Errors of a disparity map: end-point error, bad pixels, and those of depth, where the truth is known."""

import numpy as np

from metrics import frame_metrics


def disparity_metrics(predicted, truth):
    """predicted, truth: pixels [H, W], 0 unknown. A pixel that is not filled counts as bad.

    endPoint   mean absolute error, pixels, of the filled pixels
    bad1..3    share of the known pixels that are wrong by more than so many pixels, or not filled
    filled     share of the known pixels with a prediction
    delta1     of depth over the filled pixels; disparity is depth's inverse, so no baseline is needed
    """
    known = truth > 0
    filled = known & (predicted > 0)
    error = np.abs(predicted - truth)
    bad = {f'bad{n}': float(1 - (filled & (error <= n)).sum() / known.sum()) for n in (1, 2, 3)}
    inverse = [1 / np.where(filled, values, np.inf) for values in (predicted, truth)]
    return {
        'endPoint': float(error[filled].mean()),
        **bad,
        'filled': float(filled.sum() / known.sum()),
        'delta1': frame_metrics(*inverse)['delta1'],
    }
