"""The paper's ablations of encoder, decoder, skips and pruning: size, work, latency here, and accuracy.

    python ablation.py --out DIR [--names mobilenet-nnconv5dw fastdepth-full]
    python ablation.py --out DIR --views DIR --samples 9600 --encoder imagenet/checkpoint.pt --data DIR

Writes DIR/ablation.md and DIR/ablation.png. With --views each variant is trained on the same number of
samples, which is far too few for its best, but the same for all. Run again, it goes on where it stopped.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
import onnxruntime
import torch

from counting import count_macs, count_parameters
from evaluate import evaluate, onnx_predictor
from export import export
from netadapt import narrowed, save
from network import ABLATIONS, CONFIGURATIONS, DepthNetwork, build, load_network
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


def with_encoder(name, checkpoint):
    """The variant, untrained, with the encoder of a checkpoint if it has the same one."""
    source = load_network(checkpoint)
    network = DepthNetwork(**{**CONFIGURATIONS[name], 'symmetric': source.symmetric})
    if [p.shape for p in network.encoder.parameters()] == [p.shape for p in source.encoder.parameters()]:
        network.encoder.load_state_dict(source.encoder.state_dict())
        return network
    return build(name)


def start_of(name, args):
    """What a variant is trained from. The pruned network comes from the trained unpruned one, as in the paper."""
    if name == 'fastdepth':
        return narrowed(trained('fastdepth-full', args), build(name))
    return with_encoder(name, args.encoder) if args.encoder else build(name)


def trained(name, args):
    """The network after the same number of samples as all others, or with random weights if none are wanted."""
    if not args.views:
        return build(name)
    out = args.out / name
    out.mkdir(exist_ok=True)
    start = out / 'start.pt'
    if not start.exists():
        torch.manual_seed(0)
        save(start_of(name, args), start)
    command = [sys.executable, Path(__file__).with_name('train.py'), '--start', start, '--views', args.views]
    command += ['--out', out, '--samples', str(args.samples), '--sizes', args.sizes, '--batch', '16']
    command += ['--processes', str(args.processes), '--threads', '1', '--whole-from', '0.7', '--average', '0.99']
    subprocess.run([*command, *(['--bfloat16'] if args.bfloat16 else [])], check=True)
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
        for set_name, frames in {**open_sets(args.data, 'choosing'), **open_sets(args.data, 'held-out')}.items():
            found = evaluate(predict, frames)
            values[f'{set_name} delta1'], values[f'{set_name} scaled'] = found['delta1'], found['delta1Scaled']
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
    known = list(dict.fromkeys(name for group in ABLATIONS.values() for name in group))
    parser.add_argument('--names', nargs='+', choices=known, default=known, help='the variants')
    parser.add_argument('--threads', type=int, default=1, help='of ONNX Runtime')
    parser.add_argument('--views', help='folder of make_views.py; trains each variant')
    parser.add_argument('--samples', type=int, default=9600, help='of training for each variant')
    parser.add_argument('--sizes', default='128:0.8,224:1', help='of the pictures, see train.py')
    parser.add_argument('--encoder', help='checkpoint of fastdepth-full whose encoder the variants start with')
    parser.add_argument('--processes', type=int, default=2, help='of train.py')
    parser.add_argument('--bfloat16', action='store_true', help='see train.py')
    parser.add_argument('--data', help='folder of the sets, to evaluate what was trained')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rows = {}
    for name in args.names:
        rows[name] = row(name, args)
        (args.out / 'ablation.md').write_text(table(rows))
    plot(rows, args.out / 'ablation.png')
    print(table(rows))


if __name__ == '__main__':
    main()
