"""Cuts augmented views of every training picture and asks a teacher network for their depth.

    python make_views.py --data DIR --teacher TEACHER.onnx --out DIR --views 3

Writes rgb.npy (uint8 [N, 224, 224, 3]), teacher.npy and truth.npy (float16 metres [N, 112, 112], 0 = none).
The first view of a picture is whole, the others are as preprocessing.augmented cuts them. Only the
teacher's predictions are used; the student has its own initialisation. Without a teacher, as for
rendered rooms, the truth takes its place: --part synthetic.
"""

import argparse
from pathlib import Path

import numpy as np

from evaluate import onnx_predictor
from preprocessing import SIZE, augmented, resize, view
from sets import DEFAULT, open_sets

HALF = SIZE // 2


def one_view(rgb, depth, number, rng, zoom):
    if number:
        return augmented(rgb, depth, rng, depth_size=HALF, most=zoom)
    whole, truth = view(rgb, depth)
    return whole, None if truth is None else resize(truth, HALF, HALF, nearest=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', required=True, help='folder of the sets')
    parser.add_argument('--sets', default=DEFAULT, help='description of the sets')
    parser.add_argument('--part', default='train', help='of that description')
    parser.add_argument('--teacher', help='.onnx: uint8 [1, 224, 224, 3] to metres')
    parser.add_argument('--out', required=True, type=Path)
    parser.add_argument('--views', type=int, default=3, help='of each picture')
    parser.add_argument('--zoom', type=float, default=1.5, help='the most that a view is enlarged')
    parser.add_argument('--seed', type=int, default=7)
    args = parser.parse_args()

    teacher = onnx_predictor(args.teacher) if args.teacher else None
    sets = open_sets(args.data, args.part, args.sets).values()
    frames = [(s, i) for s in sets for i in range(len(s))]
    total = len(frames) * args.views
    args.out.mkdir(parents=True, exist_ok=True)

    def array(file, dtype, *shape):
        path = args.out / file
        return np.lib.format.open_memmap(path, 'w+', dtype, (total, *shape))

    rgbs = array('rgb.npy', np.uint8, SIZE, SIZE, 3)
    teachers = array('teacher.npy', np.float16, HALF, HALF)
    truths = array('truth.npy', np.float16, HALF, HALF)
    for number in range(args.views):
        for position, (frame_set, index) in enumerate(frames):
            row = number * len(frames) + position
            rgb, truth = one_view(*frame_set.load(index), number, np.random.default_rng([args.seed, row]), args.zoom)
            rgbs[row] = rgb
            if truth is None and not teacher:
                raise SystemExit('a set without depth needs a teacher (--teacher)')
            teachers[row] = teacher(rgb)[::2, ::2] if teacher else truth
            if truth is not None:
                truths[row] = truth
            if position % 500 == 0:
                print(f'view {number + 1} of {args.views}: {position} of {len(frames)}', flush=True)


if __name__ == '__main__':
    main()
