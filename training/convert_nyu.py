"""NYU Depth v2 in the FastDepth authors' HDF5 layout as an RGB-D folder, which `depthline eval` reads.

    python convert_nyu.py nyudepthv2/val/official OUT

Writes OUT/rgb/NNNN.png and OUT/depth/NNNN.png, 16-bit millimetres, at the size of the source.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from nyu_hdf5 import NyuHdf5


def convert(source, out):
    """Returns the number of frames written."""
    frames = NyuHdf5.open(source)
    for part in ('rgb', 'depth'):
        (Path(out) / part).mkdir(parents=True, exist_ok=True)
    for index in range(len(frames)):
        rgb, depth = frames.load(index)
        metres = np.where(np.isfinite(depth) & (depth > 0), depth, 0)
        millimetres = np.clip(np.rint(metres * 1000), 0, 65535).astype(np.uint16)
        Image.fromarray(rgb).save(Path(out) / 'rgb' / f'{index:04}.png')
        Image.fromarray(millimetres).save(Path(out) / 'depth' / f'{index:04}.png')
    return len(frames)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('source', type=Path, help='folder with .h5 files at any depth')
    parser.add_argument('out', type=Path)
    args = parser.parse_args()
    print(f'{convert(args.source, args.out)} frames')


if __name__ == '__main__':
    main()
