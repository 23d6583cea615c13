"""From a picture of any size to what the network sees."""

import numpy as np
import torch
from PIL import Image

SIZE = 224


def resize(pixels, width, height, nearest=False, box=None):
    """Bilinear for colour, nearest for depth (whose 0 must not be mixed in). box: left, top, right, bottom."""
    how = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(pixels).resize((width, height), how, box=box))


def view_box(height, width):
    """Box of the centred 4:3 view."""
    wide = min(width, height * 4 / 3)
    high = min(height, width * 3 / 4)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def view(rgb, depth=None, size=SIZE):
    """The centred 4:3 view squeezed to size x size: what a pipeline gives the model."""
    box = view_box(*rgb.shape[:2])
    rgb = resize(rgb, size, size, box=box)
    return rgb, None if depth is None else resize(depth, size, size, nearest=True, box=box)


def paper(rgb, depth=None, size=SIZE):
    """The paper's evaluation: 250 high, the 304 x 228 in the centre, squeezed to size x size."""

    def prepare(pixels, nearest):
        height, width = pixels.shape[:2]
        width = round(width * 250 / height)
        pixels = resize(pixels, width, 250, nearest)
        left, top = (width - 304) / 2, (250 - 228) / 2
        return resize(pixels, size, size, nearest, (left, top, left + 304, top + 228))

    return prepare(rgb, False), None if depth is None else prepare(depth, True)


def augmented(rgb, depth, rng, size=SIZE, depth_size=SIZE, most=1.5, degrees=5.0):
    """The paper's augmentation: scaled by 1 to `most`, turned by up to `degrees`, cropped, flipped.

    A picture scaled by s shows what a camera s times nearer would see, so depth is divided by s.
    Colour jitter comes later, see jitter(): a teacher sees the picture without it.
    """
    scale = rng.uniform(1, most)
    angle = rng.uniform(-degrees, degrees)
    left, top, right, bottom = view_box(*rgb.shape[:2])
    width, height = (right - left) / scale, (bottom - top) / scale
    x = left + rng.uniform() * (right - left - width)
    y = top + rng.uniform() * (bottom - top - height)
    box = (x, y, x + width, y + height)
    flip = rng.uniform() < 0.5

    def prepare(pixels, edge, nearest):
        how = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
        turned = np.asarray(Image.fromarray(pixels).rotate(angle, how))
        cut = resize(turned, edge, edge, nearest, box)
        return np.ascontiguousarray(cut[:, ::-1]) if flip else cut

    if depth is not None:
        depth = prepare(depth, depth_size, True) / np.float32(scale)
    return prepare(rgb, size, False), depth


def jitter(x, strength=1.0):
    """Brightness, contrast, saturation and white balance of pictures in [0, 1], [N, 3, H, W]."""

    def factor(spread, channels=1):
        spread *= strength
        return torch.empty(len(x), channels, 1, 1, device=x.device).uniform_(1 - spread, 1 + spread)

    x = x * factor(0.35)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * factor(0.3) + mean
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * factor(0.45) + grey
    return (x * factor(0.08, 3)).clamp(0, 1)
