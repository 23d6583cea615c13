"""Rectified pairs with the left eye's disparity: rendered ones, real ones, and photographs seen by a second eye.

Disparities are pixels of the pair's own width; 0 is unknown.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from preprocessing import resize

WIDTH, HEIGHT = 320, 240


def read_rgb(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert('RGB'))


def read_grey(path):
    with Image.open(path) as picture:
        return np.asarray(picture).astype(np.float32)


@dataclass(frozen=True)
class RenderedPairs:
    """left/NAME.*, right/NAME.*, and disparity/NAME.png, 16 bit, 1/256 pixel."""

    names: tuple
    root: Path

    @staticmethod
    def open(root, part=slice(None)):
        """part: of the names, in their order."""
        root = Path(root)
        names = tuple(sorted(p.stem for p in (root / 'disparity').glob('*.png')))[part]
        if not names:
            raise FileNotFoundError(f'{root}: no pairs: left/, right/ and disparity/ with the same names')
        return RenderedPairs(names, root)

    def __len__(self):
        return len(self.names)

    def load(self, index):
        """RGB uint8 [H, W, 3] of the left and the right eye, and float32 [H, W]."""
        name = self.names[index]
        left, right = (read_rgb(next((self.root / eye).glob(f'{name}.*'))) for eye in ('left', 'right'))
        return left, right, read_grey(self.root / 'disparity' / f'{name}.png') / 256


@dataclass(frozen=True)
class Middlebury:
    """The pairs of 2003: a folder with im2.png, im6.png and disp2.png, disparity times 4, each."""

    folders: tuple

    @staticmethod
    def open(root):
        found = tuple(sorted(p.parent for p in Path(root).glob('*/disp2.png')))
        if not found:
            raise FileNotFoundError(f'{root}: no folder with im2.png, im6.png and disp2.png')
        return Middlebury(found)

    def __len__(self):
        return len(self.folders)

    def load(self, index):
        folder = self.folders[index]
        return read_rgb(folder / 'im2.png'), read_rgb(folder / 'im6.png'), read_grey(folder / 'disp2.png') / 4


def second_eye(left, disparity, background):
    """What an eye further right sees of a picture with known disparity (Watson et al., ECCV 2020).

    Every pixel moves left by its disparity, the nearest wins; what no pixel reaches was hidden, and shows the
    background, a picture of the same size.
    """
    height, width = disparity.shape
    rows = np.arange(height)[:, None]
    order = np.argsort(disparity, 1, kind='stable')
    moved = np.take_along_axis(disparity, order, 1)
    target = np.rint(order - moved).astype(np.int64)
    inside = (target >= 0) & (target < width)
    seen = np.full((height, width), -1, np.float32)
    row = np.broadcast_to(rows, target.shape)
    # Of equal targets the last is kept, which is the nearest.
    seen[row[inside], target[inside]] = moved[inside]
    seen = without_cracks(seen)
    hidden = seen < 0
    x = np.clip(np.arange(width) + seen, 0, width - 1)
    first = np.minimum(x.astype(np.int64), width - 2)
    share = (x - first)[..., None]
    picture = left[rows, first] * (1 - share) + left[rows, first + 1] * share
    picture[hidden] = background[hidden]
    return np.rint(picture).astype(np.uint8)


def without_cracks(seen):
    """A slope that faces the right eye spreads its pixels: gaps one pixel wide are part of it."""
    before, after = np.roll(seen, 1, 1), np.roll(seen, -1, 1)
    crack = (seen < 0) & (before >= 0) & (after >= 0) & (np.abs(before - after) < 2)
    return np.where(crack, (before + after) / 2, seen)


class PhotoPairs:
    """Pictures with dense depth in metres and how far apart the eyes are, at random: two eyes from one."""

    def __init__(self, pictures, rng, nearest=0.3):
        """pictures: a function from rng to RGB uint8 [H, W, 3] and float32 metres of any size, dense."""
        self.pictures, self.rng, self.nearest = pictures, rng, nearest

    def draw(self):
        rgb, depth = self.pictures(self.rng)
        left = resize(rgb, WIDTH, HEIGHT)
        depth = resize(depth.astype(np.float32), WIDTH, HEIGHT)
        # Of the median: 4 to 24 pixels.
        apart = np.exp(self.rng.uniform(np.log(4), np.log(24))) * np.median(depth)
        disparity = np.clip(apart / np.maximum(depth, self.nearest), 0.5, 60).astype(np.float32)
        background = resize(self.pictures(self.rng)[0], WIDTH, HEIGHT)
        return left, second_eye(left, disparity, background), disparity
