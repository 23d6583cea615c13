"""From a picture of any size to what the network sees."""

import numpy as np
import torch
from PIL import Image

SIZE = 224
# The paper's evaluation: a picture 250 high, of that the 304 x 228 in the centre.
PAPER_HEIGHT, PAPER_CROP = 250, (304, 228)
# That crop as shares of a 4:3 view: left, top, right, bottom.
WIDE, HIGH = PAPER_CROP[0] / (PAPER_HEIGHT * 4 / 3), PAPER_CROP[1] / PAPER_HEIGHT
CROP = ((1 - WIDE) / 2, (1 - HIGH) / 2, (1 + WIDE) / 2, (1 + HIGH) / 2)


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


def paper_pixels(pixels, nearest=True, size=SIZE):
    """The paper's crop of a 4:3 view of any size, resampled in two steps as the paper's code does it.

    250 high, of that the 304 x 228 in the centre, that squeezed to size x size; both steps pick the nearest
    pixel, of colour too. Not nearest: the first step interpolates, for predictions.
    """
    wide, high = PAPER_CROP
    width = int(PAPER_HEIGHT * 4 / 3)
    left, top = round((width - wide) / 2), round((PAPER_HEIGHT - high) / 2)
    whole = resize(pixels, width, PAPER_HEIGHT, nearest)
    return resize(whole[top : top + high, left : left + wide], size, size, nearest=True)


def paper(rgb, depth=None, size=SIZE):
    """The paper's evaluation: its crop is what the network sees."""
    box = view_box(*rgb.shape[:2])
    cut = [None if pixels is None else in_box(pixels, box) for pixels in (rgb, depth)]
    return tuple(None if pixels is None else paper_pixels(pixels, size=size) for pixels in cut)


def in_box(pixels, box):
    left, top, right, bottom = (round(edge) for edge in box)
    return np.ascontiguousarray(pixels[top:bottom, left:right])


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
