"""The paper's ablations of encoder, decoder and skips: size, work, and latency measured on this machine.

    python ablation.py --out DIR [--only skips] [--views DIR --minutes 10 --data DIR]

Writes DIR/ablation.md and DIR/ablation.png. With --views each variant is also trained for a fixed time,
which is far too short for its best, but the same for all.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
import onnxruntime

from counting import count_macs, count_parameters
from evaluate import evaluate, onnx_predictor
from export import export
from network import ABLATIONS, build, load_network
from preprocessing import SIZE
from sets import open_sets

matplotlib.use('agg')
from matplotlib import pyplot  # noqa: E402

WARM_UP, RUNS = 5, 30


def latency_ms(path, threads):
    """Median of one picture's time in ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    rgb = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)
    times = []
    for _ in range(WARM_UP + RUNS):
        start = time.perf_counter()
        session.run(None, {'rgb': rgb})
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times[WARM_UP:]))


def trained(name, args):
    """The network after a fixed time of training, or with its random weights if none is wanted."""
    if not args.views:
        return build(name)
    out = args.out / name
    command = [sys.executable, Path(__file__).with_name('train.py'), '--model', name]
    command += ['--views', args.views, '--out', out, '--minutes', str(args.minutes)]
    subprocess.run(command, check=True)
    return load_network(out / 'checkpoint.pt')


def row(name, args):
    network = trained(name, args)
    path = args.out / f'{name}.onnx'
    export(network, path)
    values = {
        'parameters, M': count_parameters(network) / 1e6,
        'MACs, G': count_macs(network) / 1e9,
        'ms': latency_ms(path, args.threads),
    }
    if args.views and args.data:
        predict = onnx_predictor(str(path))
        for set_name, frames in open_sets(args.data, 'held-out').items():
            values[f'{set_name} delta1'] = evaluate(predict, frames)['delta1']
    return values


def table(rows):
    keys = list(next(iter(rows.values())))
    lines = [f'| network | {" | ".join(keys)} |', '| --- ' * (len(keys) + 1) + '|']
    for name, values in rows.items():
        lines.append(f'| {name} | ' + ' | '.join(f'{v:.3g}' for v in values.values()) + ' |')
    return '\n'.join(lines) + '\n'


def plot(rows, path):
    figure, axes = pyplot.subplots(figsize=(7, 5))
    for name, values in rows.items():
        axes.scatter(values['MACs, G'], values['ms'], s=10 + 4 * values['parameters, M'])
        axes.annotate(name, (values['MACs, G'], values['ms']), fontsize=7)
    axes.set(xlabel='MACs, G', ylabel='latency, ms', xscale='log', yscale='log')
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', required=True, type=Path)
    parser.add_argument('--only', choices=ABLATIONS, help='one of the ablations')
    parser.add_argument('--threads', type=int, default=1, help='of ONNX Runtime')
    parser.add_argument('--views', help='folder of make_views.py; trains each variant')
    parser.add_argument('--minutes', type=float, default=10, help='of training for each variant')
    parser.add_argument('--data', help='folder of the sets, to evaluate what was trained')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    groups = [args.only] if args.only else list(ABLATIONS)
    names = list(dict.fromkeys(name for group in groups for name in ABLATIONS[group]))
    rows = {name: row(name, args) for name in names}
    (args.out / 'ablation.md').write_text(table(rows))
    plot(rows, args.out / 'ablation.png')
    print(table(rows))


if __name__ == '__main__':
    main()
