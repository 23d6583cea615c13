"""The data sets that sets.yaml names."""

from pathlib import Path

import yaml

from photos import Photos
from rgbd_folders import RgbdFolder

DEFAULT = Path(__file__).with_name('sets.yaml')


def open_sets(data, part, description=DEFAULT):
    """The sets of one part (`train`, `choosing`, `held-out`) by name; data: the folder they lie in."""
    sets = {}
    for name, options in yaml.safe_load(Path(description).read_text())[part].items():
        options = dict(options)
        root = Path(data) / options.pop('folder', name)
        has_depth = options.pop('depth', True)
        sets[name] = RgbdFolder.open(root, **options) if has_depth else Photos.open(root, **options)
    return sets


def batch_mix(description=DEFAULT):
    """What a batch is made of: for each set its share and, where it is not 1, the weight of metric losses."""
    return yaml.safe_load(Path(description).read_text())['batch']
