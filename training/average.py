"""The mean of several checkpoints' weights, of runs that began from the same one.

    python average.py RUN3/checkpoint.pt RUN4/checkpoint.pt --out MEAN/checkpoint.pt

Runs that have moved apart in different directions are often worse, each for itself, than their mean
(Wortsman et al., *Model soups*, ICML 2022).
"""

import argparse
from pathlib import Path

import torch

from netadapt import save
from network import load_network


def average(networks):
    """A network with the mean weights of networks of one configuration, and the first's counters."""
    if any(n.configuration != networks[0].configuration for n in networks):
        raise ValueError('only networks of the same configuration have a mean')
    states = [n.state_dict() for n in networks]
    mean = {
        name: torch.stack([s[name] for s in states]).mean(0) if first.is_floating_point() else first
        for name, first in states[0].items()
    }
    networks[0].load_state_dict(mean)
    return networks[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoints', nargs='+')
    parser.add_argument('--out', required=True, type=Path)
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save(average([load_network(path) for path in args.checkpoints]), args.out)


if __name__ == '__main__':
    main()
