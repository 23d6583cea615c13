"""Pairs for train_stereo.py, written once: left.npy, right.npy, disparity.npy, and names.

    python make_pairs.py --rendered DIR... --out PAIRS/rendered
    python make_pairs.py --rgbd DATA --count 4000 --out PAIRS/rgbd        # RGB-D sets of sets.yaml, seen by a second eye
    python make_pairs.py --views VIEWS --count 4000 --out PAIRS/photos    # photographs with a teacher's depth

uint8 [N, 240, 320, 3] twice and float16 pixels [N, 240, 320], 0 unknown.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from preprocessing import resize
from sets import DEFAULT, open_sets
from stereo_pairs import HEIGHT, WIDTH, PhotoPairs, RenderedPairs
from train import view_folders

DENSE = 0.95  # share of the pixels with depth, at least


def of_rgbd(sets):
    """Draws pictures with dense depth; a hole takes the depth of the median."""
    frames = [(frame_set, index) for frame_set in sets for index in range(len(frame_set))]

    def draw(rng):
        while True:
            frame_set, index = frames[rng.integers(len(frames))]
            rgb, depth = frame_set.load(index)
            known = depth > 0
            if known.mean() >= DENSE:
                return rgb, np.where(known, depth, np.median(depth[known]))

    return draw


def of_views(roots):
    arrays = [[np.load(f / name, mmap_mode='r') for name in ('rgb.npy', 'teacher.npy')] for f in view_folders(roots)]
    ends = np.cumsum([len(rgb) for rgb, _ in arrays])

    def draw(rng):
        number = int(rng.integers(ends[-1]))
        which = int(np.searchsorted(ends, number, 'right'))
        rgb, teacher = arrays[which]
        row = number - (ends[which] - len(rgb))
        return np.asarray(rgb[row]), np.asarray(teacher[row], np.float32)

    return draw


def drawn(pictures, count, seed):
    pairs = PhotoPairs(pictures, np.random.default_rng(seed))
    return (pairs.draw() for _ in range(count))


def fitted(pair):
    """At 320 x 240: a narrower picture has smaller disparities."""
    left, right, disparity = pair
    scale = WIDTH / disparity.shape[1]
    small = resize(disparity, WIDTH, HEIGHT, nearest=True) * scale
    return resize(left, WIDTH, HEIGHT), resize(right, WIDTH, HEIGHT), small


def write(out, pairs, count):
    partial = out.with_suffix('.partial')
    partial.mkdir(parents=True, exist_ok=True)
    shape = (count, HEIGHT, WIDTH)
    kinds = {'left': (np.uint8, (3,)), 'right': (np.uint8, (3,)), 'disparity': (np.float16, ())}
    arrays = [
        open_memmap(partial / f'{name}.npy', 'w+', dtype, shape + rest) for name, (dtype, rest) in kinds.items()
    ]
    for index, pair in enumerate(pairs):
        for array, values in zip(arrays, pair, strict=True):
            array[index] = values
        if index % 500 == 499:
            print(f'{out.name}: {index + 1} of {count}', flush=True)
    partial.rename(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--rendered', nargs='+', help='folders with left/, right/ and disparity/')
    source.add_argument('--rgbd', help='folder of the sets in sets.yaml')
    source.add_argument('--views', nargs='+', help='folders that make_views.py wrote')
    parser.add_argument('--count', type=int, default=4000, help='of pairs, from pictures')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--sets', default=DEFAULT, help='another description than sets.yaml')
    parser.add_argument('--out', required=True, type=Path)
    args = parser.parse_args()
    if args.rendered:
        sets = [RenderedPairs.open(folder) for folder in args.rendered]
        pairs = (fitted(one.load(i)) for one in sets for i in range(len(one)))
        return write(args.out, pairs, sum(map(len, sets)))
    if args.rgbd:
        sets = open_sets(args.rgbd, 'train', args.sets).items()
        pictures = of_rgbd([frames for name, frames in sets if name in ('nyu-labelled', 'nyu-train', 'dfd-indoor-train')])
    else:
        pictures = of_views(args.views)
    write(args.out, drawn(pictures, args.count, args.seed), args.count)


if __name__ == '__main__':
    main()
