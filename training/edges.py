"""Depth edges, and how well two depth maps agree on where they are.

As in iBims-1 (Koch et al., *Evaluation of CNN-based Single-Image Depth Estimation Methods*, ECCVW 2018) edges
are what Canny finds in depth that is scaled to [0, 1] by its own least and greatest: Gaussian of deviation
sqrt(2), Sobel, thresholds 0.1 and 0.2. A pixel of one map's edges is found if the other has one within
TOLERANCE pixels: precision is the share of the predicted edges that is found in the truth, recall the other
way round, the F-score their harmonic mean.
"""

import numpy as np

DEVIATION = 2**0.5
LOW, HIGH = 0.1, 0.2
TOLERANCE = 2.0


def edge_f_score(predicted, truth):
    """None where the truth has no edge."""
    wanted = canny(scaled(truth))
    if not wanted.any():
        return None
    found = canny(scaled(predicted))
    if not found.any():
        return 0.0
    precision = within(wanted, TOLERANCE)[found].mean()
    recall = within(found, TOLERANCE)[wanted].mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def scaled(depth):
    least, greatest = depth.min(), depth.max()
    return (depth.astype(np.float64) - least) / max(greatest - least, 1e-6)


def canny(picture):
    """Edges of a picture [H, W] in [0, 1], as booleans."""
    smooth = blurred(picture)
    pad = np.pad(smooth, 1, mode='edge')
    across = pad[:, 2:] - pad[:, :-2]
    down = pad[2:] - pad[:-2]
    gx = across[:-2] + 2 * across[1:-1] + across[2:]
    gy = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    size = np.hypot(gx, gy)
    thin = size * ridge(size, gx, gy)
    weak, edges = thin >= LOW, thin >= HIGH
    while True:
        grown = within(edges, 2**0.5) & weak
        if (grown == edges).all():
            return edges
        edges = grown


def blurred(picture):
    radius = int(4 * DEVIATION + 0.5)
    kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * DEVIATION**2))
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(picture, pad, mode='symmetric'), len(kernel), axis)
        picture = windows @ kernel
    return picture


def ridge(size, gx, gy):
    """Whether the gradient is greatest along its own direction, of four."""
    pad = np.pad(size, 1)
    height, width = size.shape

    def at(dy, dx):
        return pad[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    direction = np.round(np.arctan2(gy, gx) / (np.pi / 4)).astype(int) % 4
    kept = np.zeros(size.shape, bool)
    for number, (dy, dx) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        kept |= (direction == number) & (size >= at(dy, dx)) & (size > at(-dy, -dx))
    return kept


def within(mask, distance):
    """Pixels with a pixel of the mask at most `distance` away."""
    reach = int(distance)
    pad = np.pad(mask, reach)
    height, width = mask.shape
    near = np.zeros_like(mask)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dy**2 + dx**2 <= distance**2 + 1e-9:
                near |= pad[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
    return near
