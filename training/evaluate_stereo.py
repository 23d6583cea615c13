"""Accuracy of stereo: a network's, and that of semi-global matching if OpenCV is there.

    python evaluate_stereo.py --rendered DIR --middlebury DIR [--sgm] MODEL...

MODEL is an .onnx that takes uint8 [1, 224, 320, 3] RGB twice, `left` and `right`, and gives pixels. Every pair
is seen at 320 x 224 and scored there, over all pixels with truth, hidden ones too: a pixel that is not filled is
wrong. `npx depthline eval --stereo` measures the same in a pipeline.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from evaluate import onnx_session
from metrics import mean_metrics
from preprocessing import resize
from stereo_metrics import disparity_metrics
from stereo_pairs import Middlebury, RenderedPairs

WIDTH, HEIGHT = 320, 224
SGM_DISPARITIES = 64


def seen(left, right, disparity):
    """At the network's size; disparity is that of the new width."""
    scale = WIDTH / disparity.shape[1]
    small = resize(np.asarray(disparity, np.float32), WIDTH, HEIGHT, nearest=True) * scale
    return resize(left, WIDTH, HEIGHT), resize(right, WIDTH, HEIGHT), small


@torch.no_grad()
def evaluate_stereo(network, left, right, disparity):
    """Metrics of a network in PyTorch on one pair of any size."""
    left, right, truth = seen(left, right, disparity)
    pair = torch.from_numpy(np.concatenate((left, right), 2)).permute(2, 0, 1)[None].float() / 255
    return disparity_metrics(network.eval()(pair)[0, 0].numpy(), truth)


def onnx_matcher(path):
    session = onnx_session(path, threads=1)

    def match(left, right):
        return session.run(None, {'left': left[None], 'right': right[None]})[0][0, 0]

    return match


def sgm_matcher(left_right_check=1):
    """OpenCV's (Hirschmüller, PAMI 2008), with the block size and penalties that its documentation proposes."""
    import cv2  # only here: the comparison can do without

    cv2.setNumThreads(1)
    block = 5
    sgm = cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=SGM_DISPARITIES,
        blockSize=block,
        P1=8 * 3 * block**2,
        P2=32 * 3 * block**2,
        disp12MaxDiff=left_right_check,
        uniquenessRatio=10,
        speckleWindowSize=100,
        speckleRange=2,
    )

    def match(left, right):
        # The first columns have no partner to the left: a margin lets them be searched.
        padded = [cv2.copyMakeBorder(eye, 0, 0, SGM_DISPARITIES, 0, cv2.BORDER_REPLICATE) for eye in (left, right)]
        return np.maximum(sgm.compute(*padded)[:, SGM_DISPARITIES:] / 16, 0).astype(np.float32)

    return match


def score(match, pairs):
    results, times = [], []
    for index in range(len(pairs)):
        left, right, truth = seen(*pairs.load(index))
        start = time.perf_counter()
        predicted = match(left, right)
        times.append(1000 * (time.perf_counter() - start))
        results.append(disparity_metrics(predicted, truth))
    return {'pairs': len(results), **mean_metrics(results), 'ms': float(np.median(times))}


def table(rows):
    """rows: (set, method, values), as lines of text."""
    keys = list(rows[0][2])
    lines = ['| set | method | ' + ' | '.join(keys) + ' |', '| --- ' * (len(keys) + 2) + '|']
    for name, method, values in rows:
        cells = [f'{values[k]}' if k == 'pairs' else f'{values[k]:.3f}' for k in keys]
        lines.append('| ' + ' | '.join([name, method, *cells]) + ' |')
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('models', nargs='*', metavar='MODEL')
    parser.add_argument('--rendered', type=Path, help='folder with left/, right/ and disparity/')
    parser.add_argument('--middlebury', type=Path, help='folder of pairs of 2003')
    parser.add_argument('--sgm', action='store_true', help='semi-global matching too (needs OpenCV)')
    args = parser.parse_args()
    sets = {}
    if args.rendered:
        sets['rendered'] = RenderedPairs.open(args.rendered)
    if args.middlebury:
        sets['middlebury'] = Middlebury.open(args.middlebury)
    if not sets:
        parser.error('name --rendered or --middlebury')
    methods = {Path(path).stem: onnx_matcher(path) for path in args.models}
    if args.sgm:
        methods['SGM'] = sgm_matcher()
    if not methods:
        parser.error('name a model, or --sgm')
    print(table([(name, method, score(match, pairs)) for name, pairs in sets.items() for method, match in methods.items()]))


if __name__ == '__main__':
    main()
