"""Cuts views of every training picture and asks the teacher for their depth.

    python make_views.py --data DIR --teacher REFERENCE.onnx --relative RELATIVE.onnx --out DIR

Writes one folder a set with rgb.npy (uint8 [N, 224, 224, 3]), teacher.npy and truth.npy (float16 metres
[N, 112, 112], 0 = none). The first view of a picture is whole, the others are as preprocessing.augmented
cuts them. A set whose folder is there is left alone, so run again it goes on. Only the teacher's predictions
are used; the student has its own initialisation. Without a teacher, as for rendered rooms, the truth takes
its place: --part synthetic.
"""

import argparse
from pathlib import Path

import numpy as np

from preprocessing import SIZE, augmented, resize, view, view_box
from sets import DEFAULT, open_sets
from teacher import Teacher, scaled_to

HALF = SIZE // 2


def one_view(rgb, depth, number, rng, zoom, teacher):
    """A view, the teacher's metres or None, the truth or None."""
    photo = depth is None
    if number:
        cut, truth = augmented(rgb, depth, rng, depth_size=HALF, most=zoom)
        return cut, teacher and teacher(cut, photo=photo), truth
    whole, truth = view(rgb, depth)
    truth = None if photo else resize(truth, HALF, HALF, nearest=True)
    return whole, teacher and teacher(rgb, view_box(*rgb.shape[:2]), photo), truth


def wanted(taught, truth):
    """What stands for the teacher, of half the size."""
    if taught is None:
        return truth
    half = taught[::2, ::2]
    return half if truth is None else scaled_to(half, truth)


def write_views(frames, out, teacher, views, zoom, seed):
    """frames: a set; out: the folder for its views."""
    total = len(frames) * views
    partial = out.with_name(f'{out.name}.partial')
    partial.mkdir(parents=True, exist_ok=True)

    def array(file, dtype, *shape):
        return np.lib.format.open_memmap(partial / file, 'w+', dtype, (total, *shape))

    rgbs = array('rgb.npy', np.uint8, SIZE, SIZE, 3)
    teachers = array('teacher.npy', np.float16, HALF, HALF)
    truths = array('truth.npy', np.float16, HALF, HALF)
    for row in range(total):
        number, index = divmod(row, len(frames))
        rng = np.random.default_rng([seed, row])
        rgb, taught, truth = one_view(*frames.load(index), number, rng, zoom, teacher)
        if truth is None and taught is None:
            raise SystemExit('a set without depth needs a teacher (--teacher)')
        rgbs[row] = rgb
        teachers[row] = wanted(taught, truth)
        if truth is not None:
            truths[row] = truth
        if row % 500 == 0:
            print(f'{out.name}: {row} of {total}', flush=True)
    partial.rename(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', required=True, help='folder of the sets')
    parser.add_argument('--sets', default=DEFAULT, help='description of the sets')
    parser.add_argument('--part', default='train', help='of that description')
    parser.add_argument('--only', nargs='+', help='these sets of that part')
    parser.add_argument('--teacher', nargs='+', help='.onnx: uint8 [1, 224, 224, 3] to metres; of several the mean')
    parser.add_argument('--relative', help='.onnx: RGB in [0, 1] to relative inverse depth, for photos')
    parser.add_argument('--threads', type=int, default=0, help='of each network; 0: all cores')
    parser.add_argument('--out', required=True, type=Path)
    parser.add_argument('--views', type=int, default=1, help='of each picture')
    parser.add_argument('--zoom', type=float, default=1.1, help='the most that a view is enlarged')
    parser.add_argument('--seed', type=int, default=7)
    args = parser.parse_args()

    teacher = Teacher(args.teacher, args.relative, args.threads) if args.teacher else None
    for name, frames in open_sets(args.data, args.part, args.sets).items():
        if (args.only and name not in args.only) or (args.out / name).exists():
            continue
        write_views(frames, args.out / name, teacher, args.views, args.zoom, args.seed)


if __name__ == '__main__':
    main()
