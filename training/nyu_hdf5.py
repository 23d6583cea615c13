"""NYU Depth v2 as the FastDepth authors publish it: one .h5 a frame, `rgb` uint8 [3, H, W], `depth` metres [H, W]."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np


@dataclass(frozen=True)
class NyuHdf5:
    frames: tuple

    @staticmethod
    def open(root):
        """root: a folder with .h5 files at any depth, such as nyudepthv2/val."""
        found = tuple(sorted(Path(root).rglob('*.h5')))
        if not found:
            raise FileNotFoundError(f'{root}: no .h5 files')
        return NyuHdf5(found)

    def __len__(self):
        return len(self.frames)

    def load(self, index):
        """RGB uint8 [H, W, 3], metres float32 [H, W], 0 invalid."""
        with h5py.File(self.frames[index], 'r') as file:
            rgb = np.transpose(file['rgb'][:], (1, 2, 0))
            depth = file['depth'][:].astype(np.float32)
        return np.ascontiguousarray(rgb), depth
