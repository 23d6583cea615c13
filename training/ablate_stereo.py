"""What compressing the cost volume loses and saves: the network for two lenses in its variants.

    python ablate_stereo.py --start MONO/checkpoint.pt --pairs PAIRS/* --out DIR --rendered HELD-OUT --middlebury DIR

The eyes are compared at 1/4 or 1/8 of the picture's size; the volume is folded into channels at once (2-D) or after
a 3-D layer. Each variant is trained on the same number of the same samples from the same mono weights, which is far
too few for its best, but the same for all. Writes DIR/ablation.md. Run again, it goes on where it stopped.
Without --pairs the networks are untrained, and only their size, work and time are compared.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from counting import count_macs, count_parameters
from evaluate import onnx_session
from evaluate_stereo import HEIGHT, WIDTH, onnx_matcher, score
from export_stereo import export
from stereo_network import load_stereo
from stereo_pairs import Middlebury, RenderedPairs
from train_stereo import starting

VARIANTS = {
    '1/4, 2-D': {'at': 4, 'volume': '2d'},
    '1/8, 2-D': {'at': 8, 'volume': '2d'},
    '1/4, 3-D': {'at': 4, 'volume': '3d'},
    '1/8, 3-D': {'at': 8, 'volume': '3d'},
}
WARM_UP, ROUNDS = 5, 60
REPORTED = ('endPoint', 'bad1', 'bad2', 'bad3')


def folder_of(name, out):
    return out / name.replace('/', '-').replace(', ', '-').lower()


def command_of(name, args):
    """The training of a variant."""
    variant = VARIANTS[name]
    command = [sys.executable, Path(__file__).with_name('train_stereo.py'), '--out', folder_of(name, args.out)]
    command += ['--start', args.start, '--pairs', *args.pairs, '--samples', args.samples]
    command += ['--at', variant['at'], '--volume', variant['volume']]
    command += ['--learning-rate', args.learning_rate, '--average', '0.99', '--threads', args.threads]
    return [str(word) for word in [*command, *(['--bfloat16'] if args.bfloat16 else [])]]


def network_of(name, args):
    """A variant after its training, or with the mono weights alone."""
    if not args.pairs:
        torch.manual_seed(0)
        return starting(SimpleNamespace(start=args.start, **VARIANTS[name])).eval()
    subprocess.run(command_of(name, args), check=True)
    return load_stereo(folder_of(name, args.out) / 'checkpoint.pt')


def latencies_ms(paths, rounds=ROUNDS):
    """Median of one pair's time in ONNX Runtime with one thread, by name: one run of each model in turn."""
    rng = np.random.default_rng(0)
    eyes = {eye: rng.integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8) for eye in ('left', 'right')}
    sessions = {name: onnx_session(str(path), threads=1) for name, path in paths.items()}
    times = {name: [] for name in paths}
    for _ in range(WARM_UP + rounds):
        for name, session in sessions.items():
            start = time.perf_counter()
            session.run(None, eyes)
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: float(np.median(values[WARM_UP:])) for name, values in times.items()}


def accuracy(path, sets):
    found = {name: score(onnx_matcher(path), pairs) for name, pairs in sets.items()}
    return {f'{name} {key}': values[key] for name, values in found.items() for key in REPORTED}


def table(rows):
    keys = list(next(iter(rows.values())))
    lines = [f'| compared at, volume | {" | ".join(keys)} |', '| --- ' * (len(keys) + 1) + '|']
    for name, values in rows.items():
        lines.append(f'| {name} | ' + ' | '.join(f'{v:.2f}' if k == 'ms' else f'{v:.3f}' for k, v in values.items()) + ' |')
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--start', help='checkpoint.pt of a mono network')
    parser.add_argument('--pairs', nargs='+', help='folders that make_pairs.py wrote; trains each variant')
    parser.add_argument('--out', required=True, type=Path)
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--samples', type=int, default=3200, help='of training for each variant')
    parser.add_argument('--learning-rate', type=float, default=1.5e-3)
    parser.add_argument('--bfloat16', action='store_true', help='see train_stereo.py')
    parser.add_argument('--threads', type=int, default=1, help='of PyTorch')
    parser.add_argument('--rendered', help='folder of held-out pairs, to evaluate on')
    parser.add_argument('--middlebury', help='folder of pairs of 2003, to evaluate on')
    args = parser.parse_args()
    if args.pairs and not args.start:
        parser.error('--pairs needs --start, the weights that all variants start from')
    args.out.mkdir(parents=True, exist_ok=True)
    rows, paths = {}, {}
    for name in args.variants:
        network = network_of(name, args)
        paths[name] = folder_of(name, args.out).with_suffix('.onnx')
        export(network, paths[name])
        rows[name] = {
            'parameters, M': count_parameters(network) / 1e6,
            'MACs, G': count_macs(network, HEIGHT, WIDTH, 6) / 1e9,
        }
    # Only now, all in turn: what else the machine does is the same for each.
    for name, ms in latencies_ms(paths).items():
        rows[name]['ms'] = ms
    sets = {'rooms': RenderedPairs.open(args.rendered)} if args.rendered else {}
    if args.middlebury:
        sets['Middlebury'] = Middlebury.open(args.middlebury)
    for name, path in paths.items():
        rows[name].update(accuracy(path, sets))
    (args.out / 'ablation.md').write_text(table(rows))
    print(table(rows))


if __name__ == '__main__':
    main()
