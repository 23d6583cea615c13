"""Photographs without depth, for distillation."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from rgbd_folders import PICTURES


@dataclass(frozen=True)
class Photos:
    frames: tuple

    @staticmethod
    def open(root, categories=None, without=()):
        """categories: only these; without: not these. Both are names in the column `category` of manifest.csv."""
        found = tuple(p for p in sorted(Path(root).rglob('*')) if p.suffix.lower() in PICTURES)
        if categories or without:
            with open(Path(root) / 'manifest.csv', newline='') as file:
                named = {row['file']: row['category'] for row in csv.DictReader(file)}
            found = tuple(p for p in found if not categories or named.get(p.name) in categories)
            found = tuple(p for p in found if named.get(p.name) not in without)
        if not found:
            raise FileNotFoundError(f'{root}: no pictures')
        return Photos(found)

    def __len__(self):
        return len(self.frames)

    def load(self, index):
        """RGB uint8 [H, W, 3], and None where others have depth."""
        with Image.open(self.frames[index]) as picture:
            return np.asarray(picture.convert('RGB')), None
