"""Makes the edges of depth steep that a network has blurred.

A toggle mapping (Kramer and Bruckner, *Iterations of a non-linear transformation for enhancement of digital
images*, Pattern Recognition 7, 1975): what is nearer to the greatest value around it moves towards that, the
rest towards the least. Here only at steps of depth, and continuously, so that neither noise nor another order of
additions turns a pixel over: a ramp becomes GAIN times as steep and never leaves the range of its neighbours.

A step is a range of depth within 5x5 pixels that is great for its distance (NOTICED) and that does not go on
within 9x9: a slope, such as a floor seen at a small angle, has nearly twice the range there (GOES_ON) and is left
as it is.
"""

import torch
from torch.nn import functional

GAIN = 6.0
NOTICED = (0.04, 0.08)  # range over the least depth: no step, a whole step
GOES_ON = (1.7, 1.9)  # range within 9x9 over that within 5x5: a whole step, no step
TINY = 1e-6  # metres


def steepen(depth):
    """depth: metres, [N, 1, H, W]. Returns the same with steep edges."""
    # Both extremes in one go: the greatest, and the least with its sign turned.
    around = maxima(torch.cat((depth, -depth), 1))
    wide = maxima(around)
    greatest, least = around[:, :1], -around[:, 1:]
    near = greatest - least
    rises = share(near / least, *NOTICED)
    ends = 1 - share((wide[:, :1] + wide[:, 1:]) / (near + TINY), *GOES_ON)
    middle = (least + greatest) / 2
    steep = (GAIN * (depth - middle) + middle).minimum(greatest).maximum(least)
    return depth + rises * ends * (steep - depth)


def share(value, low, high):
    """0 up to `low`, 1 from `high` on."""
    return (value * (1 / (high - low)) - low / (high - low)).clamp(0, 1)


def maxima(x):
    """Within 5x5 pixels: rows, then columns, which takes 10 comparisons instead of 25."""
    return functional.max_pool2d(functional.max_pool2d(x, (1, 5), 1, (0, 2)), (5, 1), 1, (2, 0))
