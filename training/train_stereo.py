"""Trains the network for two lenses on the pairs that make_pairs.py wrote.

    python train_stereo.py --start MONO/checkpoint.pt --pairs PAIRS/* --out DIR --minutes 60

Encoder and decoder start as those of a trained mono network. A cut of every pair is seen; each eye has its own
exposure and noise, and the right one is up to half a pixel too high or too low. Run again with the same --out,
it goes on from the last checkpoint. The last pairs of each folder are scored at the end and never trained on.
"""

import argparse
import json
import math
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from evaluate_stereo import evaluate_stereo
from metrics import mean_metrics
from network import load_network
from preprocessing import jitter
from stereo_network import StereoNetwork, load_stereo, start_with
from train import CHECKPOINT_SECONDS, Trainer

CUT = (160, 256)
HELD_OUT = 40  # the last pairs of each folder: scored, never trained on


class Pairs:
    """The pairs of several folders, equally often."""

    def __init__(self, folders):
        names = ('left', 'right', 'disparity')
        self.arrays = [[np.load(folder / f'{name}.npy', mmap_mode='r') for name in names] for folder in folders]
        self.names = [folder.name for folder in folders]

    def batch(self, rng, count, cut=CUT):
        """Pictures in [0, 1], [N, 6, h, w], left first, and pixels [N, 1, h/2, w/2], 0 unknown."""
        height, width = cut
        parts = []
        for number in range(count):
            arrays = self.arrays[(number + rng.integers(len(self.arrays))) % len(self.arrays)]
            row = rng.integers(max(1, len(arrays[0]) - HELD_OUT))
            tall, wide = arrays[2].shape[1:]
            y, x = rng.integers(tall - height + 1), rng.integers(wide - width + 1)
            cuts = [array[row, y : y + height, x : x + width] for array in arrays]
            # Upside down, left stays left.
            parts.append([c[::-1] for c in cuts] if rng.random() < 0.2 else cuts)
        left, right, disparity = (np.stack(arrays) for arrays in zip(*parts, strict=True))
        pair = torch.from_numpy(np.concatenate((left, right), 3)).permute(0, 3, 1, 2).float().div_(255)
        return pair, torch.from_numpy(disparity[:, None, ::2, ::2].astype(np.float32))

    def held_out(self):
        """RGB uint8 twice and pixels, by the name of the folder."""
        return {
            name: [tuple(np.asarray(a[row], a.dtype) for a in arrays) for row in range(-min(HELD_OUT, len(arrays[0])), 0)]
            for name, arrays in zip(self.names, self.arrays, strict=True)
        }


def two_cameras(pair, rng):
    """Colours of the scene, then what differs between the eyes: exposure, noise, half a pixel of height."""
    count = len(pair)
    both = jitter(torch.cat((pair[:, :3], pair[:, 3:]), 2))
    left, right = both.chunk(2, 2)
    eyes = []
    for eye in (left, right):
        gain = torch.empty(count, 1, 1, 1).uniform_(0.85, 1.15)
        noise = torch.randn_like(eye) * torch.empty(count, 1, 1, 1).uniform_(0, 0.02)
        eyes.append((eye * gain + noise).clamp(0, 1))
    shift = torch.from_numpy(rng.uniform(-0.5, 0.5, (count, 1, 1, 1)).astype(np.float32))
    tall = F.pad(eyes[1], (0, 0, 1, 1), mode='replicate')
    above, below = tall[:, :, :-2], tall[:, :, 2:]
    neighbour = torch.where(shift > 0, above, below)
    eyes[1] = eyes[1] * (1 - shift.abs()) + neighbour * shift.abs()
    return torch.cat(eyes, 1)


def disparity_loss(fine, guess, wanted, slopes=0.5, first=0.3):
    """Smooth L1 of pixels, of the error's slopes, and of the first guess."""
    known = (wanted > 0).float()
    error = fine - wanted
    near = F.smooth_l1_loss(fine, wanted, reduction='none', beta=1.0) * known
    # An error of a pixel matters more far away.
    relative = error.abs() / (wanted + 2) * known
    across = (error[..., 1:] - error[..., :-1]).abs().clamp(max=4) * known[..., 1:] * known[..., :-1]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs().clamp(max=4) * known[..., 1:, :] * known[..., :-1, :]
    coarse = wanted[..., ::4, ::4]
    guessed = F.smooth_l1_loss(guess, coarse, reduction='none', beta=1.0) * (coarse > 0)
    total = near.sum() + 2 * relative.sum() + slopes * (across.sum() + down.sum())
    return total / known.sum().clamp(min=1) + first * guessed.sum() / (coarse > 0).sum().clamp(min=1)


class StereoTrainer(Trainer):
    def forward(self, rgb):
        fine, guess = self.network.disparities(rgb)
        return fine.float(), guess.float()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--start', help='checkpoint.pt of a mono network, or of a stereo one')
    parser.add_argument('--pairs', required=True, nargs='+', type=Path, help='folders that make_pairs.py wrote')
    parser.add_argument('--out', required=True, type=Path, help='folder for checkpoint.pt')
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument('--minutes', type=float, help='of wall clock, over all runs')
    length.add_argument('--samples', type=int, help='over all runs')
    parser.add_argument('--at', type=int, choices=(4, 8), default=4, help='the eyes are compared at 1/4 or 1/8')
    parser.add_argument('--volume', choices=('2d', '3d'), default='2d')
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--learning-rate', type=float, default=1.2e-3)
    parser.add_argument('--average', type=float, default=0.998)
    parser.add_argument('--encoder-rate', type=float, default=0.5, help="the encoder's share of the learning rate")
    parser.add_argument('--bfloat16', action='store_true')
    parser.add_argument('--threads', type=int, default=0)
    return parser.parse_args()


def starting(args):
    """The network of a stereo checkpoint, or a new one, with a mono network's weights if there are any."""
    groups = {4: {'groups': 4, 'matching': 32}, 8: {'groups': 8, 'matching': 64}}[args.at]
    shape = {'at': args.at, 'volume': args.volume, **groups}
    if not args.start:
        return StereoNetwork(**shape)
    configuration = torch.load(args.start, map_location='cpu', weights_only=True)['configuration']
    if 'at' in configuration:
        return load_stereo(args.start).train()
    mono = load_network(args.start)
    widths = {k: configuration[k] for k in ('encoder_channels', 'decoder_channels') if configuration[k]}
    return start_with(StereoNetwork(**shape, **widths, symmetric=configuration.get('symmetric', False)), mono)


def main():
    args = arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.manual_seed(0)
    trainer = StereoTrainer(starting(args), args.learning_rate, device, args.average)
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / 'checkpoint.pt'
    if checkpoint.exists():
        trainer.load(checkpoint)
    progress = trainer.progress
    pairs = Pairs(args.pairs)
    rng = np.random.default_rng(progress.step)
    torch.manual_seed(progress.step)
    before, start, saved = progress.seconds, time.monotonic(), time.monotonic()
    losses, stopped = [], []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    while not stopped:
        progress.seconds = before + time.monotonic() - start
        done = progress.seconds / (60 * args.minutes) if args.minutes else progress.samples / args.samples
        if done >= 1:
            break
        pair, wanted = pairs.batch(rng, args.batch)
        pair, wanted = two_cameras(pair, rng).to(device), wanted.to(device)
        rate = args.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        loss = trainer.step(pair, lambda both, w=wanted: disparity_loss(*both, w), rate, args.bfloat16, args.encoder_rate)
        losses.append(loss)
        if progress.step % 50 == 0:
            line = {'done': round(done, 3), 'samples': progress.samples, 'loss': round(float(np.mean(losses)), 4)}
            print(json.dumps(line), flush=True)
            losses.clear()
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            trainer.save(checkpoint)
            saved = time.monotonic()
    trainer.save(checkpoint)
    if not stopped:
        for name, held in pairs.held_out().items():
            values = mean_metrics([evaluate_stereo(trainer.average, *pair) for pair in held])
            print(json.dumps({'pairs': name, **{k: round(v, 3) for k, v in values.items()}}), flush=True)


if __name__ == '__main__':
    main()
