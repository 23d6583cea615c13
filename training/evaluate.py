"""Accuracy of a model on the held-out scenes, or on a folder or an NYU HDF5 tree.

    python evaluate.py --data DIR MODEL...
    python evaluate.py --folder DIR MODEL...
    python evaluate.py --nyu DIR --crop paper MODEL...

The model sees the whole 4:3 view, as in a pipeline, and is scored on the pixels of the paper's crop. With
--crop paper it sees that crop only, as in the paper.
MODEL is an .onnx that takes uint8 [1, 224, 224, 3] RGB and gives metres, as export.py writes it.
"""

import argparse
import json

import onnxruntime

from metrics import frame_metrics, mean_metrics
from nyu_hdf5 import NyuHdf5
from preprocessing import paper, paper_pixels, view
from rgbd_folders import MILLIMETRES, RgbdFolder
from sets import DEFAULT, open_sets


def onnx_session(path, threads=0):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])


def onnx_predictor(path, threads=0):
    """A function from RGB uint8 [H, W, 3] to metres [H, W]."""
    session = onnx_session(path, threads)
    name = session.get_inputs()[0].name
    return lambda rgb: session.run(None, {name: rgb[None]})[0][0, 0]


def whole_view(predict, rgb, depth):
    """Prediction and truth on the paper's pixels; the whole view is what the model sees."""
    seen, _ = view(rgb)
    return paper_pixels(predict(seen), nearest=False), paper(rgb, depth)[1]


def paper_crop(predict, rgb, depth):
    """As in the paper: the model sees its crop."""
    seen, truth = paper(rgb, depth)
    return predict(seen), truth


CROPS = {'none': whole_view, 'paper': paper_crop}


def evaluate(predict, frames, compare=whole_view):
    """Metrics of a predictor over a set; a frame without any valid depth counts for nothing."""
    results = []
    for index in range(len(frames)):
        predicted, truth = compare(predict, *frames.load(index))
        if (truth > 0).any():
            results.append(frame_metrics(predicted, truth))
    return {'frames': len(results), **mean_metrics(results)}


def table(results):
    """results: {set: {model: metrics}}, as lines of text."""
    keys = list(dict.fromkeys(key for models in results.values() for values in models.values() for key in values))
    lines = ['set | model | ' + ' | '.join(keys), ' | '.join(['---'] * (len(keys) + 2))]
    for name, models in results.items():
        for model, values in models.items():
            cells = ['' if (v := values.get(k)) is None else f'{v}' if k == 'frames' else f'{v:.3f}' for k in keys]
            lines.append(' | '.join([name, model, *cells]))
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('models', nargs='+', metavar='MODEL')
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument('--data', help='folder of the sets in sets.yaml')
    where.add_argument('--folder', help='one folder with rgb/ and depth/')
    where.add_argument('--nyu', help='folder with .h5 files')
    parser.add_argument('--sets', default=DEFAULT, help='another description than sets.yaml')
    parser.add_argument('--unit', type=float, default=MILLIMETRES, help='metres per step, with --folder')
    parser.add_argument('--part', default='held-out', help='of the sets, with --data')
    parser.add_argument('--crop', choices=CROPS, default='none', help='paper: the model sees the crop of the paper')
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()

    if args.data:
        sets = open_sets(args.data, args.part, args.sets)
    elif args.folder:
        sets = {args.folder: RgbdFolder.open(args.folder, args.unit)}
    else:
        sets = {args.nyu: NyuHdf5.open(args.nyu)}
    predictors = {path: onnx_predictor(path) for path in args.models}
    results = {
        name: {path: evaluate(p, frames, CROPS[args.crop]) for path, p in predictors.items()}
        for name, frames in sets.items()
    }
    print(json.dumps(results, indent=1) if args.json else table(results))


if __name__ == '__main__':
    main()
