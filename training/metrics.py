"""Accuracy of depth, as Eigen et al. (2014) measure it, and of scale, structure and edges on their own."""

import numpy as np

from edges import edge_f_score

DENSE = 0.999  # share of valid truth from which a frame counts for edges


def frame_metrics(predicted, truth, least=1e-3):
    """Of one frame: arrays in metres of the same shape; where truth is 0 nothing is compared.

    ratio          mean of predicted over true
    delta1Scaled   delta1 after the prediction is scaled to the truth's median
    edgeF          F-score of depth edges (edges.py), or None without dense truth or edges
    """
    mask = truth > 0
    p = np.maximum(predicted[mask].astype(np.float64), least)
    t = truth[mask].astype(np.float64)
    ratio = np.maximum(p / t, t / p)
    scaled = p * np.median(t) / np.median(p)
    error = p - t
    return {
        'delta1': float((ratio < 1.25).mean()),
        'delta2': float((ratio < 1.25**2).mean()),
        'delta3': float((ratio < 1.25**3).mean()),
        'rmse': float(np.sqrt((error**2).mean())),
        'mae': float(np.abs(error).mean()),
        'absRel': float((np.abs(error) / t).mean()),
        'log10': float(np.abs(np.log10(p / t)).mean()),
        'ratio': float((p / t).mean()),
        'delta1Scaled': float((np.maximum(scaled / t, t / scaled) < 1.25).mean()),
        'edgeF': edge_f_score(predicted, np.where(mask, truth, np.median(t))) if mask.mean() >= DENSE else None,
    }


def mean_metrics(frames):
    """Mean over the frames that have the metric, each weighing the same; without a frame, it is left out."""
    known = {key: [frame[key] for frame in frames if frame[key] is not None] for key in frames[0]}
    return {key: float(np.mean(values)) for key, values in known.items() if values}
