"""Trains a network of the family on the views that make_views.py cut.

    python train.py --views DIR --out DIR --minutes 120 --data DIR

The teacher's depth and, where there is one, the ground truth are both wanted. The network starts on
small pictures and ends on whole ones (--sizes); the learning rate falls with the share of the time, or
of the samples, that has passed. Run again with the same --out, it goes on from the last checkpoint.
"""

import argparse
import copy
import json
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from evaluate import evaluate
from losses import LOSSES
from network import CONFIGURATIONS, build, load_network
from preprocessing import SIZE, jitter
from sets import open_sets

CHECKPOINT_SECONDS = 120
REPORT_SECONDS = 300
WARM_UP_STEPS = 200


class Views:
    """The views of one folder, or of several as if they were one."""

    def __init__(self, *roots):
        names = ('rgb.npy', 'teacher.npy', 'truth.npy')
        self.folders = [[np.load(Path(root) / name, mmap_mode='r') for name in names] for root in roots]
        self.ends = np.cumsum([len(rgb) for rgb, *_ in self.folders])

    def __len__(self):
        return int(self.ends[-1])

    def batch(self, rng, count, first=0, last=None):
        """Pictures in [0, 1] and metres, from the rows first to last: [N, 3, 224, 224], [N, 1, 112, 112] twice."""
        rows = np.sort(rng.integers(first, last or len(self), count))
        rgb, teacher, truth = self.rows(rows)
        rgb = torch.from_numpy(rgb).permute(0, 3, 1, 2).float().div_(255)
        teacher, truth = (torch.from_numpy(a.astype(np.float32))[:, None] for a in (teacher, truth))
        if rng.random() < 0.5:
            return rgb.flip(3), teacher.flip(3), truth.flip(3)
        return rgb, teacher, truth

    def rows(self, rows):
        parts, start = [], 0
        for folder, end in zip(self.folders, self.ends):
            here = rows[(rows >= start) & (rows < end)] - start
            parts.append([array[here] for array in folder])
            start = end
        return [np.concatenate(arrays) for arrays in zip(*parts)]


@dataclass
class Progress:
    step: int = 0
    samples: int = 0
    seconds: float = 0.0


class Trainer:
    """The network, the running average of its weights (which is what is kept), and the optimiser."""

    def __init__(self, network, learning_rate, device='cpu', keep=0.9985):
        self.device = device
        self.keep = keep
        self.network = network.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(network).to(device)
        self.average.requires_grad_(False).eval()
        weights = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{'params': weights, 'weight_decay': 1e-2}, {'params': others, 'weight_decay': 0}]
        self.optimiser = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98))
        self.progress = Progress()

    def save(self, path):
        state = {
            'configuration': self.network.configuration,
            'network': self.network.state_dict(),
            'average': self.average.state_dict(),
            'optimiser': self.optimiser.state_dict(),
            'progress': vars(self.progress),
        }
        partial = path.with_suffix('.partial')
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path):
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state['network'])
        self.average.load_state_dict(state['average'])
        self.optimiser.load_state_dict(state['optimiser'])
        self.progress = Progress(**state['progress'])

    def step(self, rgb, wants, loss_of, learning_rate, half_precision):
        """wants: pairs of metres and weight. Returns the loss."""
        for group in self.optimiser.param_groups:
            group['lr'] = learning_rate * min(1, (self.progress.step + 1) / WARM_UP_STEPS)
        self.network.train()
        with torch.autocast(self.device, torch.bfloat16, enabled=half_precision):
            predicted = self.network.half(rgb.contiguous(memory_format=torch.channels_last))
        loss = sum(weight * loss_of(predicted.float(), metres) for metres, weight in wants)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.progress.step += 1
        self.progress.samples += len(rgb)
        self.follow()
        return loss.item()

    @torch.no_grad()
    def follow(self):
        """Moves the running average after the network."""
        keep = min(self.keep, (1 + self.progress.step) / (20 + self.progress.step))
        states = zip(self.average.state_dict().values(), self.network.state_dict().values())
        for mean, now in states:
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    @torch.no_grad()
    def predict(self, rgb):
        x = torch.from_numpy(np.ascontiguousarray(rgb)).to(self.device)
        x = x.permute(2, 0, 1)[None].float().div(255)
        return self.average(x)[0, 0].cpu().numpy()


def shrink(size, rgb, *depths):
    """A square batch at another size; depth, at half of it, is picked and not mixed."""
    if rgb.shape[-1] == size:
        return rgb, *depths
    half = size // 2
    picked = [F.interpolate(d, size=(half, half), mode='nearest') for d in depths]
    return F.interpolate(rgb, size=(size, size), mode='area'), *picked


def size_at(sizes, share):
    return next((size for size, until in sizes if share < until), sizes[-1][0])


def parse_sizes(text):
    """'128:0.5,224:1' to [(128, 0.5), (224, 1.0)]: pictures of 128 pixels for the first half."""
    pairs = [part.split(':') for part in text.split(',')]
    sizes = [(int(size), float(until)) for size, until in pairs]
    if any(size % 32 for size, _ in sizes):
        raise argparse.ArgumentTypeError('sizes are multiples of 32')
    return sizes


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--model', choices=CONFIGURATIONS, default='fastdepth')
    parser.add_argument('--start', help='checkpoint.pt to take network and weights from')
    parser.add_argument('--views', required=True, nargs='+', help='folders that make_views.py wrote')
    parser.add_argument('--out', required=True, type=Path, help='folder for checkpoint.pt')
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument('--minutes', type=float, help='of wall clock, over all runs')
    length.add_argument('--samples', type=int, help='over all runs')
    parser.add_argument('--sizes', type=parse_sizes, default=[(128, 0.5), (160, 0.72), (SIZE, 1.0)])
    parser.add_argument('--batch', type=int, default=24)
    parser.add_argument('--learning-rate', type=float, default=1.5e-3)
    parser.add_argument(
        '--average', type=float, default=0.9985, help='share of the averaged weights kept at a step'
    )
    parser.add_argument('--loss', choices=LOSSES, default='depth')
    parser.add_argument('--truth-weight', type=float, default=0.7, help='beside 1 for the teacher')
    parser.add_argument('--bfloat16', action='store_true', help='faster where the processor has it')
    parser.add_argument('--threads', type=int, default=0)
    parser.add_argument('--data', help='folder of the sets: evaluates on the held-out scenes at times')
    return parser.parse_args()


def main():
    args = arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.manual_seed(0)
    network = load_network(args.start).train() if args.start else build(args.model)
    trainer = Trainer(network, args.learning_rate, device, args.average)
    checkpoint = args.out / 'checkpoint.pt'
    args.out.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists():
        trainer.load(checkpoint)
    progress = trainer.progress
    views = Views(*args.views)
    held_out = open_sets(args.data, 'held-out') if args.data else {}
    rng = np.random.default_rng(progress.step)
    before, start = progress.seconds, time.monotonic()
    saved = reported = start
    losses = []
    # Stopped, it saves and ends.
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

    def share():
        progress.seconds = before + time.monotonic() - start
        if args.minutes:
            return progress.seconds / (60 * args.minutes)
        return progress.samples / args.samples

    while (done := share()) < 1 and not stopped:
        size = size_at(args.sizes, done)
        batch = [part.to(device) for part in views.batch(rng, args.batch)]
        rgb, teacher, truth = shrink(size, *batch)
        # A truth with holes weighs less.
        weight = args.truth_weight * (truth > 0).float().mean()
        wants = [(teacher, 1.0), (truth, weight)]
        rate = args.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        losses.append(trainer.step(jitter(rgb), wants, LOSSES[args.loss], rate, args.bfloat16))
        if progress.step % 50 == 0:
            line = {'done': round(done, 3), 'samples': progress.samples, 'size': size}
            print(json.dumps({**line, 'loss': round(float(np.mean(losses)), 4)}), flush=True)
            losses.clear()
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            trainer.save(checkpoint)
            saved = time.monotonic()
        if time.monotonic() - reported > REPORT_SECONDS:
            report(trainer, held_out)
            reported = time.monotonic()
    trainer.save(checkpoint)
    if not stopped:
        report(trainer, held_out, every=1)


def report(trainer, held_out, every=4):
    for name, frames in held_out.items():
        values = evaluate(trainer.predict, frames, every=every)
        short = {k: round(values[k], 3) for k in ('delta1', 'rmse', 'absRel')}
        print(json.dumps({'held out': name, **short}), flush=True)


if __name__ == '__main__':
    main()
