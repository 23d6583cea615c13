"""Accuracy of a model on the held-out scenes, or on a folder or an NYU HDF5 tree.

    python evaluate.py --data DIR MODEL...
    python evaluate.py --folder DIR MODEL...
    python evaluate.py --nyu DIR --preprocessing paper MODEL...

MODEL is an .onnx that takes uint8 [1, 224, 224, 3] RGB and gives metres, as export.py writes it.
"""

import argparse
import json

import onnxruntime

from metrics import frame_metrics, mean_metrics
from nyu_hdf5 import NyuHdf5
from preprocessing import paper, view
from rgbd_folders import MILLIMETRES, RgbdFolder
from sets import DEFAULT, open_sets


def onnx_predictor(path, threads=0):
    """A function from RGB uint8 [H, W, 3] to metres [H, W]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return lambda rgb: session.run(None, {name: rgb[None]})[0][0, 0]


def evaluate(predict, frames, prepare=view, every=1):
    """Metrics of a predictor over a set; a frame without any valid depth counts for nothing."""
    results = []
    for index in range(0, len(frames), every):
        rgb, truth = prepare(*frames.load(index))
        if (truth > 0).any():
            results.append(frame_metrics(predict(rgb), truth))
    return {'frames': len(results), **mean_metrics(results)}


def table(results):
    """results: {set: {model: metrics}}, as lines of text."""
    keys = list(next(iter(next(iter(results.values())).values())))
    lines = ['set | model | ' + ' | '.join(keys), ' | '.join(['---'] * (len(keys) + 2))]
    for name, models in results.items():
        for model, values in models.items():
            cells = [str(v) if isinstance(v, int) else f'{v:.3f}' for v in values.values()]
            lines.append(' | '.join([name, model, *cells]))
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('models', nargs='+', metavar='MODEL')
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument('--data', help='folder of the sets in sets.yaml; its held-out scenes are used')
    where.add_argument('--folder', help='one folder with rgb/ and depth/')
    where.add_argument('--nyu', help='folder with .h5 files')
    parser.add_argument('--sets', default=DEFAULT, help='another description than sets.yaml')
    parser.add_argument('--unit', type=float, default=MILLIMETRES, help='metres per step, with --folder')
    parser.add_argument('--preprocessing', choices=('view', 'paper'), default='view')
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()

    if args.data:
        sets = open_sets(args.data, 'held-out', args.sets)
    elif args.folder:
        sets = {args.folder: RgbdFolder.open(args.folder, args.unit)}
    else:
        sets = {args.nyu: NyuHdf5.open(args.nyu)}
    prepare = {'view': view, 'paper': paper}[args.preprocessing]
    predictors = {path: onnx_predictor(path) for path in args.models}
    results = {
        name: {path: evaluate(p, frames, prepare) for path, p in predictors.items()}
        for name, frames in sets.items()
    }
    print(json.dumps(results, indent=1) if args.json else table(results))


if __name__ == '__main__':
    main()
