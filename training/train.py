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
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import distributed, multiprocessing
from torch.nn import functional as F

from evaluate import evaluate
from losses import LOSSES, recipe_loss
from network import CONFIGURATIONS, build, load_network
from preprocessing import SIZE, jitter
from sets import DEFAULT, batch_mix, open_sets

CHECKPOINT_SECONDS = 120
REPORT_SECONDS = 900
WARM_UP_STEPS = 200


class Views:
    """The views of several sets. shares: of a batch, by name of the set; without, by number of views."""

    def __init__(self, *roots, shares=None):
        names = ('rgb.npy', 'teacher.npy', 'truth.npy')
        self.folders = view_folders(roots)
        self.arrays = [[np.load(folder / name, mmap_mode='r') for name in names] for folder in self.folders]
        self.lengths = [len(rgb) for rgb, *_ in self.arrays]
        if shares is None:
            shares = {folder.name: length for folder, length in zip(self.folders, self.lengths)}
        missing = [folder.name for folder in self.folders if folder.name not in shares]
        if missing:
            raise ValueError(f'no share of the batch is given for {", ".join(missing)}')
        total = sum(shares[folder.name] for folder in self.folders)
        self.ends = np.cumsum([shares[folder.name] / total for folder in self.folders])

    def __len__(self):
        return sum(self.lengths)

    def batch(self, rng, count, first=0.0, last=1.0):
        """Pictures in [0, 1] and metres, [N, 3, 224, 224], [N, 1, 112, 112] twice, and each picture's set.

        first, last: only from this part of every set.
        """
        places = (np.arange(count) + rng.random()) / count
        sets = np.minimum(np.searchsorted(self.ends, places, 'right'), len(self.ends) - 1)
        parts = []
        for number, arrays in enumerate(self.arrays):
            length, here = self.lengths[number], int((sets == number).sum())
            low = min(int(first * length), length - 1)
            rows = np.sort(rng.integers(low, max(low + 1, int(last * length)), here))
            parts.append([array[rows] for array in arrays])
        rgb, teacher, truth = (np.concatenate(arrays) for arrays in zip(*parts))
        rgb = torch.from_numpy(rgb).permute(0, 3, 1, 2).float().div_(255)
        teacher, truth = (torch.from_numpy(a.astype(np.float32))[:, None] for a in (teacher, truth))
        if rng.random() < 0.5:
            rgb, teacher, truth = rgb.flip(3), teacher.flip(3), truth.flip(3)
        return rgb, teacher, truth, sets


def view_folders(roots):
    """The folders below, or the folders themselves, that hold views."""
    found = []
    for root in map(Path, roots):
        below = [p.parent for p in sorted(root.glob('*/rgb.npy')) if p.parent.suffix != '.partial']
        found += [root] if (root / 'rgb.npy').exists() else below
    if not found:
        raise FileNotFoundError(f'no views in {", ".join(map(str, roots))}')
    return found


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
        self.network = channels_last(network.to(device))
        self.average = copy.deepcopy(network).to(device)
        self.average.requires_grad_(False).eval()
        self.optimiser = torch.optim.AdamW(self.groups(), lr=learning_rate, betas=(0.9, 0.98))
        self.progress = Progress()

    def groups(self):
        """The encoder's parameters and the others', each with weight decay and without."""
        encoder = {id(p) for p in self.network.encoder.parameters()}
        groups = []
        for inside in (True, False):
            parameters = [p for p in self.network.parameters() if (id(p) in encoder) == inside]
            for decay in (1e-2, 0):
                chosen = [p for p in parameters if (p.ndim > 1) == bool(decay)]
                groups.append({'params': chosen, 'weight_decay': decay, 'encoder': inside})
        return groups

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

    def step(self, rgb, loss_of, learning_rate, half_precision, encoder_rate=1.0):
        """loss_of: the predicted metres, at half the size. encoder_rate: 0 for a frozen encoder. Returns the loss."""
        rate = learning_rate * min(1, (self.progress.step + 1) / WARM_UP_STEPS)
        for group in self.optimiser.param_groups:
            group['lr'] = rate * (encoder_rate if group['encoder'] else 1)
        self.network.train()
        self.network.encoder.train(encoder_rate > 0).requires_grad_(encoder_rate > 0)
        with torch.autocast(self.device, torch.bfloat16, enabled=half_precision):
            predicted = self.forward(rgb.contiguous(memory_format=torch.channels_last))
        loss = loss_of(predicted)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        mean_of_processes([p.grad for p in self.network.parameters() if p.grad is not None])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.progress.step += 1
        self.progress.samples += len(rgb) * process_count()
        self.follow()
        return loss.item()

    def forward(self, rgb):
        """What the loss wants."""
        return self.network.half(rgb).float()

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


@torch.no_grad()
def channels_last(network):
    """The network with the weights of its 2-D convolutions in the order that is fastest for them; in place."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def process_count():
    return distributed.get_world_size() if distributed.is_initialized() else 1


def mean_of_processes(tensors):
    """In place."""
    if process_count() == 1:
        return
    flat = torch.cat([t.flatten() for t in tensors])
    distributed.all_reduce(flat)
    for tensor, mean in zip(tensors, flat.div_(process_count()).split([t.numel() for t in tensors])):
        tensor.copy_(mean.view_as(tensor))


def of_first_process(*numbers):
    if process_count() == 1:
        return numbers
    shared = torch.tensor(numbers, dtype=torch.float64)
    distributed.broadcast(shared, 0)
    return shared.tolist()


def shrink(size, rgb, *depths):
    """A square batch at another size; depth, at half of it, is picked and not mixed."""
    if rgb.shape[-1] == size:
        return rgb, *depths
    half = size // 2
    picked = [F.interpolate(d, size=(half, half), mode='nearest') for d in depths]
    return F.interpolate(rgb, size=(size, size), mode='area'), *picked


def moved(rgb, teacher, truth, zoom, degrees):
    """Enlarged by 1 to `zoom`, turned by up to `degrees`, shifted within the picture; depth goes with the zoom.

    Where nothing is known depth is 0; colour is the border's.
    """
    count = len(rgb)
    scale = torch.empty(count).uniform_(1, zoom)
    angle = torch.empty(count).uniform_(-degrees, degrees) * math.pi / 180
    shift = torch.empty(2, count).uniform_(-1, 1) * (1 - 1 / scale)
    sine, cosine = angle.sin() / scale, angle.cos() / scale
    # The pixels of a view are 4/3 as wide as high.
    rows = (torch.stack((cosine, -sine * 3 / 4, shift[0]), 1), torch.stack((sine * 4 / 3, cosine, shift[1]), 1))
    grid = F.affine_grid(torch.stack(rows, 1), list(rgb.shape), align_corners=False).to(rgb.device)
    half = grid[:, ::2, ::2]
    depths = [
        F.grid_sample(d, half, 'nearest', 'zeros', align_corners=False) / scale.view(-1, 1, 1, 1).to(d.device)
        for d in (teacher, truth)
    ]
    return F.grid_sample(rgb, grid, 'bilinear', 'border', align_corners=False), *depths


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
    parser.add_argument('--loss', choices=('recipe', *LOSSES), default='recipe')
    parser.add_argument('--truth-weight', type=float, default=2, help='beside 1 for the teacher')
    parser.add_argument('--encoder-rate', type=float, default=1, help="the encoder's share of the learning rate")
    parser.add_argument('--frozen', type=float, default=0, help='share of the run with a frozen encoder')
    parser.add_argument('--zoom', type=float, default=1.1, help='the most that half of the batches are enlarged')
    parser.add_argument('--degrees', type=float, default=4, help='the most that they are turned')
    parser.add_argument('--whole-from', type=float, default=1, help='share of the run from which no view is moved')
    parser.add_argument('--sets', default=DEFAULT, help='description of the sets: what a batch is made of')
    parser.add_argument('--bfloat16', action='store_true', help='faster where the processor has it')
    parser.add_argument('--threads', type=int, default=0, help='of each process; 0: one per core')
    parser.add_argument('--processes', type=int, default=1, help='that share a batch; on busy cores, one thread each')
    parser.add_argument('--data', help='folder of the sets: evaluates on the rooms for choosing at times')
    return parser.parse_args()


def main():
    """Starts the other processes and is the first."""
    args = arguments()
    if args.processes == 1:
        return train(args)
    os.environ.setdefault('GLOO_SOCKET_IFNAME', 'lo')
    with tempfile.TemporaryDirectory() as folder:
        spawned = multiprocessing.get_context('spawn')
        others = [
            spawned.Process(target=join, args=(args, folder, rank), daemon=True)
            for rank in range(1, args.processes)
        ]
        for process in others:
            process.start()
        join(args, folder, 0)
        for process in others:
            process.join()


def join(args, folder, rank):
    place = f'file://{folder}/meeting'
    distributed.init_process_group('gloo', place, world_size=args.processes, rank=rank)
    train(args, rank)
    distributed.destroy_process_group()


def train(args, rank=0):
    """rank: of this process; the first one keeps time, saves and reports."""
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
    mix = batch_mix(args.sets)
    views = Views(*args.views, shares={name: options['share'] for name, options in mix.items()})
    metric = torch.tensor([mix[folder.name].get('metric', 1.0) for folder in views.folders])
    rooms = open_sets(args.data, 'choosing', args.sets) if args.data and not rank else {}
    rng = np.random.default_rng([progress.step, rank])
    torch.manual_seed(progress.step * args.processes + rank)
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

    while True:
        done, ends = of_first_process(share(), bool(stopped))
        if done >= 1 or ends:
            break
        size = size_at(args.sizes, done)
        *batch, sets = views.batch(rng, args.batch // args.processes)
        if done < args.whole_from and rng.random() < 0.5:
            batch = moved(*batch, args.zoom, args.degrees)
        rgb, teacher, truth = shrink(size, *(part.to(device) for part in batch))
        loss_of = loss_for(args, teacher, truth, metric[sets].to(device))
        rate = args.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        encoder_rate = args.encoder_rate if done >= args.frozen else 0.0
        losses.append(trainer.step(jitter(rgb), loss_of, rate, args.bfloat16, encoder_rate))
        if rank:
            continue
        if progress.step % 50 == 0:
            line = {'done': round(done, 3), 'samples': progress.samples, 'size': size}
            print(json.dumps({**line, 'loss': round(float(np.mean(losses)), 4)}), flush=True)
            losses.clear()
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            trainer.save(checkpoint)
            saved = time.monotonic()
        if time.monotonic() - reported > REPORT_SECONDS:
            report(trainer, rooms)
            reported = time.monotonic()
    if not rank:
        trainer.save(checkpoint)
        if not stopped:
            report(trainer, rooms)


def loss_for(args, teacher, truth, metric):
    """A function of the predicted metres."""
    if args.loss == 'recipe':
        return lambda predicted: recipe_loss(predicted, teacher, truth, metric, args.truth_weight)
    loss_of = LOSSES[args.loss]
    # A truth with holes weighs less.
    weight = args.truth_weight * (truth > 0).float().mean()
    return lambda predicted: loss_of(predicted, teacher) + weight * loss_of(predicted, truth)


def report(trainer, rooms):
    for name, frames in rooms.items():
        values = evaluate(trainer.predict, frames)
        short = {k: round(values[k], 3) for k in ('delta1', 'rmse', 'absRel')}
        print(json.dumps({'rooms': name, **short}), flush=True)


if __name__ == '__main__':
    main()
