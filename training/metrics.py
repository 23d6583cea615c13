"""Accuracy of depth, as Eigen et al. (2014) measure it."""

import numpy as np


def frame_metrics(predicted, truth, least=1e-3):
    """Of one frame: arrays in metres of the same shape; where truth is 0 nothing is compared."""
    mask = truth > 0
    p = np.maximum(predicted[mask].astype(np.float64), least)
    t = truth[mask].astype(np.float64)
    ratio = np.maximum(p / t, t / p)
    error = p - t
    return {
        'delta1': float((ratio < 1.25).mean()),
        'delta2': float((ratio < 1.25**2).mean()),
        'delta3': float((ratio < 1.25**3).mean()),
        'rmse': float(np.sqrt((error**2).mean())),
        'mae': float(np.abs(error).mean()),
        'absRel': float((np.abs(error) / t).mean()),
        'log10': float(np.abs(np.log10(p / t)).mean()),
    }


def mean_metrics(frames):
    """Mean over frames, each frame weighing the same."""
    return {key: float(np.mean([frame[key] for frame in frames])) for key in frames[0]}
