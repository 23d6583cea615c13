"""δ1 of a model with all its metres times a factor: what --scale of export.py may be.

    python scale.py --data DIR MODEL

On the rooms for choosing and on sets of other cameras that were trained on; never on what is reported. Data of
one camera teaches that camera's focal length, so metres come out too near for others. The default model has the
largest factor that costs the rooms at most 0.01.
"""

import argparse

import numpy as np

from evaluate import onnx_predictor, whole_view
from sets import open_sets

FACTORS = (0.96, 0.98, 1.0, 1.015, 1.03, 1.045, 1.06, 1.08, 1.1)
OTHERS = ('nyu-train', 'dfd-indoor-train')
FRAMES = 120  # of each set, at most


def delta1_by_factor(predict, frames):
    """Mean over frames: δ1 for each of FACTORS, then the median of predicted over true."""
    rows = []
    for index in range(0, len(frames), -(-len(frames) // FRAMES)):
        predicted, truth = whole_view(predict, *frames.load(index))
        known = truth > 0
        if known.any():
            ratio = predicted[known] / truth[known]
            rows.append([(abs(np.log(f * ratio)) < np.log(1.25)).mean() for f in FACTORS] + [np.median(ratio)])
    return np.mean(rows, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('model')
    parser.add_argument('--data', required=True, help='folder of the sets in sets.yaml')
    args = parser.parse_args()
    train = open_sets(args.data, 'train')
    sets = {**open_sets(args.data, 'choosing'), **{name: train[name] for name in OTHERS}}
    predict = onnx_predictor(args.model)
    print(' | '.join(['set', *map(str, FACTORS), 'median ratio']))
    for name, frames in sets.items():
        print(' | '.join([name, *(f'{v:.3f}' for v in delta1_by_factor(predict, frames))]))


if __name__ == '__main__':
    main()
