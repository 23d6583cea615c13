"""Prunes a trained network to a budget as NetAdapt does (Yang et al., ECCV 2018).

    python netadapt.py --start DIR/checkpoint.pt --views DIR --out DIR --budget 0.5
    python netadapt.py --start DIR/checkpoint.pt --out DIR --to fastdepth

Each iteration makes one proposal per layer: filters of least magnitude leave it until the whole network
meets the iteration's budget, and the rest is fine-tuned for a moment. The proposal with the least loss is
kept. Additive skips tie layers, which then lose the same filters. The cost is MACs or, with --latency, the
milliseconds that the layers took on the device (see latency.py).

With --to, the filters of greatest magnitude are kept at once, as many as the published network has in each layer,
which the authors found by NetAdapt.

Run again with the same --out, it goes on after the last iteration. Afterwards fine-tune for long:
train.py --start OUT/checkpoint.pt. MobileNet with depthwise NNConv and added or no skips can be pruned.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from counting import count_macs
from encoders import MOBILENET_SKIPS, MOBILENET_STRIDES
from latency import MULTIPLE, LatencyTable
from losses import recipe_loss, structure_loss
from network import CONFIGURATIONS, DepthNetwork, build, load_network
from preprocessing import jitter
from train import Trainer, Views, shrink

ENCODER_LAYERS = len(MOBILENET_STRIDES)
PICKING_SHARE = 0.05  # of each set's views, not fine-tuned on: the loss on them picks the proposal


def blocks(network):
    """Each layer whose filters can leave: its convolutions and normalisations, first to last."""
    return [*network.encoder.layers, *(stage.conv for stage in network.stages)]


def tied_groups(skips):
    """Layers, numbered as in blocks(), that must lose the same filters."""
    partners = {}
    if skips == 'add':
        # The skip that joins behind decoder stage 2, 3, 4 comes from encoder layer 5, 3, 1.
        for stage, layer in zip((1, 2, 3), reversed(MOBILENET_SKIPS)):
            partners[layer] = ENCODER_LAYERS + stage
    taken = set(partners.values())
    layers = [n for n in range(ENCODER_LAYERS + 5) if n not in taken]
    return [(n, partners[n]) if n in partners else (n,) for n in layers]


def widths(network):
    """Number of filters of every layer in blocks()."""
    convs = [[m for m in block.modules() if isinstance(m, nn.Conv2d)][-1] for block in blocks(network)]
    return [conv.out_channels for conv in convs]


def with_widths(network, numbers):
    """A new network, untrained, of the same kind."""
    configuration = {
        **network.configuration,
        'encoder_channels': tuple(numbers[:ENCODER_LAYERS]),
        'decoder_channels': tuple(numbers[ENCODER_LAYERS:]),
    }
    return DepthNetwork(**configuration)


def magnitudes(network, group):
    """L2 norm of each filter, summed over the tied layers."""
    total = 0
    for n in group:
        conv = [m for m in blocks(network)[n].modules() if isinstance(m, nn.Conv2d)][-1]
        total = total + conv.weight.detach().flatten(1).norm(dim=1)
    return total


def strongest(network, group, count):
    """Indices of the `count` filters of greatest magnitude, in their order."""
    return magnitudes(network, group).topk(count).indices.sort().values


@torch.no_grad()
def without_filters(network, group, kept):
    """A copy in which the layers of a group have only the filters `kept`."""
    numbers = widths(network)
    selected = [torch.arange(n) for n in numbers]
    for n in group:
        numbers[n] = len(kept)
        selected[n] = kept
    small = with_widths(network, numbers)
    inputs = torch.arange(3)
    for n, (source, target) in enumerate(zip(blocks(network), blocks(small))):
        copy_block(source, target, inputs, selected[n])
        inputs = selected[n]
    small.head.weight.copy_(network.head.weight[:, inputs])
    small.head.bias.copy_(network.head.bias)
    return small


def narrowed(network, target):
    """The network with the filters of greatest magnitude, as many as `target` has in each layer."""
    for group in tied_groups(network.skips):
        network = without_filters(network, group, strongest(network, group, widths(target)[group[0]]))
    return network


def copy_block(source, target, inputs, outputs):
    """Copies the filters `outputs`, reading the channels `inputs`; a depthwise layer keeps its channels."""
    now = inputs
    for ours, theirs in zip(source.modules(), target.modules()):
        if isinstance(ours, nn.Conv2d):
            depthwise = ours.groups > 1
            now = inputs if depthwise else outputs
            weight = ours.weight[now]
            theirs.weight.copy_(weight if depthwise else weight[:, inputs])
        elif isinstance(ours, nn.BatchNorm2d):
            for name in ('weight', 'bias', 'running_mean', 'running_var'):
                getattr(theirs, name).copy_(getattr(ours, name)[now])


def widest_within(network, group, cost, budget):
    """The most filters, a multiple of MULTIPLE, with which the network meets the budget; 0 if none do."""
    numbers = widths(network)
    now = numbers[group[0]]
    for count in range((now - 1) // MULTIPLE * MULTIPLE, 0, -MULTIPLE):
        for n in group:
            numbers[n] = count
        if cost(with_widths(network, numbers)) <= budget:
            return count
    return 0


class FineTuning:
    def __init__(self, views, steps, size, batch, learning_rate):
        self.views, self.steps, self.size, self.batch = views, steps, size, batch
        self.learning_rate = learning_rate
        self.rng = np.random.default_rng(0)

    def __call__(self, network):
        """Trains in place, briefly; returns the loss on views it never trains on."""
        trainer = Trainer(network, self.learning_rate)
        for _ in range(self.steps):
            rgb, teacher, truth = self.load(0, 1 - PICKING_SHARE)
            trainer.step(jitter(rgb), wanted(teacher, truth), self.learning_rate, False)
        network.eval()
        self.rng, before = np.random.default_rng(1), self.rng
        with torch.no_grad():
            losses = [self.picking_loss(network) for _ in range(4)]
        self.rng = before
        return float(np.mean(losses))

    def picking_loss(self, network):
        rgb, teacher, _ = self.load(1 - PICKING_SHARE, 1)
        return structure_loss(network.half(rgb), teacher).mean().item()

    def load(self, first, last):
        rgb, teacher, truth, _ = self.views.batch(self.rng, self.batch, first, last)
        return shrink(self.size, rgb, teacher, truth)


def wanted(teacher, truth):
    """The loss of a prediction that ought to be both."""
    return lambda predicted: recipe_loss(predicted, teacher, truth, 1.0)


def iterate(network, cost, budget, tune):
    """The best proposal that meets the budget: network, what was done; None if no layer can give enough."""
    best = None
    for group in tied_groups(network.configuration['skips']):
        count = widest_within(network, group, cost, budget)
        if not count:
            continue
        proposal = without_filters(network, group, strongest(network, group, count))
        loss = tune(proposal)
        print(f'  layer {group}: {count} filters, loss {loss:.4f}', flush=True)
        if best is None or loss < best[1]['loss']:
            best = proposal, {'group': list(group), 'filters': count, 'loss': loss}
    return best


def save(network, path):
    state = {'configuration': network.configuration, 'average': network.state_dict()}
    torch.save(state, path.with_suffix('.partial'))
    path.with_suffix('.partial').replace(path)


def plot(trace, path, cost):
    import matplotlib

    matplotlib.use('agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([t['cost'] for t in trace], [t['loss'] for t in trace], marker='o')
    axes.set(xlabel=cost, ylabel='loss after short fine-tuning')
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--start', required=True, help='checkpoint.pt of the network to prune')
    parser.add_argument('--views', help='folder of make_views.py; wanted with --budget')
    parser.add_argument('--out', required=True, type=Path)
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument('--budget', type=float, help='share of the cost at the start')
    goal.add_argument('--to', choices=CONFIGURATIONS, help='at once to the widths of this network of the paper')
    parser.add_argument('--step', type=float, default=0.04, help='share of it that an iteration saves')
    parser.add_argument('--latency', help='what `depthline bench-layers` wrote on the device')
    parser.add_argument('--steps', type=int, default=30, help='of short fine-tuning, per proposal')
    parser.add_argument('--size', type=int, default=128, help='of pictures in short fine-tuning')
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--learning-rate', type=float, default=3e-4)
    args = parser.parse_args()
    if args.budget and not args.views:
        parser.error('--budget wants --views: proposals are fine-tuned on them')

    args.out.mkdir(parents=True, exist_ok=True)
    if args.to:
        return save(narrowed(load_network(args.start), build(args.to)), args.out / 'checkpoint.pt')
    checkpoint, trace_file = args.out / 'checkpoint.pt', args.out / 'trace.json'
    cost = LatencyTable.read(args.latency) if args.latency else count_macs
    start = cost(load_network(args.start))
    trace = json.loads(trace_file.read_text()) if trace_file.exists() else []
    network = load_network(checkpoint if trace else args.start)
    tune = FineTuning(Views(args.views), args.steps, args.size, args.batch, args.learning_rate)
    while (now := cost(network)) > args.budget * start:
        budget = max(args.budget * start, now - args.step * start)
        print(f'iteration {len(trace) + 1}: {now:.4g} to {budget:.4g}', flush=True)
        best = iterate(network, cost, budget, tune)
        if best is None:
            raise SystemExit('no single layer can save that much; make --step smaller')
        network, done = best
        save(network, checkpoint)
        trace.append({**done, 'cost': cost(network), 'widths': widths(network)})
        trace_file.write_text(json.dumps(trace, indent=1))
        plot(trace, args.out / 'trace.png', 'ms on the device' if args.latency else 'MACs')


if __name__ == '__main__':
    main()
