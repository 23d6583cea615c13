"""Folders of colour pictures with depth: rgb/*.jpg|png|webp and depth/*.png, paired by name or by time."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

PICTURES = ('.jpg', '.jpeg', '.png', '.webp')
NYU_8_BIT = 10 / 255  # metres per step
MILLIMETRES = 1 / 1000
TUM = 1 / 5000
PAIRING_SECONDS = 0.02


@dataclass(frozen=True)
class RgbdFolder:
    """frames[i] is a pair of paths; load(i) gives RGB uint8 [H, W, 3] and metres float32 [H, W], 0 invalid.

    unit    metres per step of a 16-bit depth picture: MILLIMETRES or TUM; 8-bit ones are NYU_8_BIT
    border  pixels cut off on every side
    """

    frames: tuple
    unit: float = MILLIMETRES
    border: int = 0

    @staticmethod
    def open(root, unit=MILLIMETRES, border=0, sequences=None, without=(), blocks=None):
        """sequences: only these; without: not these. Both are names in the column `sequence` of manifest.csv.

        blocks: of pictures with neighbouring numbers, see in_blocks.
        """
        root = Path(root)
        colour = pictures(root / 'rgb')
        depth = pictures(root / 'depth')
        pairs = [(p, depth[stem]) for stem, p in colour.items() if stem in depth]
        pairs = pairs or pair_by_time(colour, depth)
        if not pairs:
            raise FileNotFoundError(f'{root}: no pictures in rgb/ that have depth in depth/')
        if sequences or without:
            named = sequences_by_stem(root / 'manifest.csv')
            pairs = [p for p in pairs if not sequences or named[p[0].stem] in sequences]
            pairs = [p for p in pairs if named[p[0].stem] not in without]
        if blocks:
            pairs = [p for p in pairs if in_blocks(int(p[0].stem), **blocks)]
        return RgbdFolder(tuple(pairs), unit, border)

    def __len__(self):
        return len(self.frames)

    def load(self, index):
        colour, depth = self.frames[index]
        with Image.open(colour) as picture:
            rgb = self.cut(np.asarray(picture.convert('RGB')))
        with Image.open(depth) as picture:
            steps = self.cut(np.asarray(picture))
        unit = NYU_8_BIT if steps.dtype == np.uint8 else self.unit
        return rgb, steps.astype(np.float32) * np.float32(unit)

    def cut(self, pixels):
        b = self.border
        return pixels[b : pixels.shape[0] - b, b : pixels.shape[1] - b]


def in_blocks(number, of, every, margin=0, held_out=False):
    """Whether a picture is in the part: of blocks of `of` numbers, each `every`th is held out.

    Pictures of one room have neighbouring numbers. So of a held-out block the first and last `margin`
    numbers are in neither part.
    """
    block, position = divmod(number, of)
    held = block % every == every - 1
    return held and margin <= position < of - margin if held_out else not held


def pictures(folder):
    return {p.stem: p for p in sorted(folder.glob('*')) if p.suffix.lower() in PICTURES}


def pair_by_time(colour, depth):
    """TUM names pictures by their time in seconds; colour and depth are not taken at the same moment."""
    try:
        times = np.array([float(stem) for stem in depth])
        wanted = {float(stem): path for stem, path in colour.items()}
    except ValueError:
        return []
    if not len(times):
        return []
    paths = list(depth.values())
    pairs = []
    for time, path in wanted.items():
        nearest = int(np.argmin(np.abs(times - time)))
        if abs(times[nearest] - time) <= PAIRING_SECONDS:
            pairs.append((path, paths[nearest]))
    return pairs


def sequences_by_stem(manifest):
    with open(manifest, newline='') as file:
        return {Path(row['file']).stem: row['sequence'] for row in csv.DictReader(file)}
