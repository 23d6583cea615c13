"""Brings the manifest beside an .onnx up to date: hash, size, metrics on the held-out scenes.

    python write_manifest.py --checkpoint DIR/checkpoint.pt --data DIR ../models/fastdepth.yaml

Name, licence, training and card are written by people and stay as they are.
"""

import argparse
import hashlib
from pathlib import Path

import yaml

from counting import count_macs, count_parameters
from evaluate import evaluate, onnx_predictor
from network import load_network
from sets import open_sets


class Text(str):
    """A string that is written as lines."""


yaml.SafeDumper.add_representer(
    Text, lambda dumper, text: dumper.represent_scalar('tag:yaml.org,2002:str', text, style='|')
)


def measured(models, sets):
    """{set: metrics of the first model, with those of the second below `reference`}."""
    metrics = {}
    for name, frames in sets.items():
        first, *others = [rounded(evaluate(model, frames)) for model in models]
        metrics[name] = {**first, 'reference': others[0]} if others else first
    return metrics


def rounded(values):
    return {k: v if isinstance(v, int) else round(v, 3) for k, v in values.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('manifest', type=Path)
    parser.add_argument('--checkpoint', required=True, help='checkpoint.pt of train.py')
    parser.add_argument('--data', required=True, help='folder of the sets in sets.yaml')
    parser.add_argument('--reference', help='.onnx of another network, for comparison')
    args = parser.parse_args()

    manifest = yaml.safe_load(args.manifest.read_text())
    onnx = args.manifest.with_name(manifest['file'])
    network = load_network(args.checkpoint)
    models = [onnx_predictor(str(path)) for path in (onnx, args.reference) if path]
    manifest['sha256'] = hashlib.sha256(onnx.read_bytes()).hexdigest()
    manifest['parameters'] = count_parameters(network)
    manifest['macs'] = count_macs(network)
    manifest['metrics'] = measured(models, open_sets(args.data, 'held-out'))
    manifest['card'] = Text(manifest['card'])
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
    args.manifest.write_text(text)


if __name__ == '__main__':
    main()
