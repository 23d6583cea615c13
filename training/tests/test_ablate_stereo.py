from types import SimpleNamespace

import pytest

from ablate_stereo import VARIANTS, command_of, folder_of, latencies_ms, network_of, table
from counting import count_macs
from export_stereo import export

ARGUMENTS = {'start': None, 'pairs': None, 'samples': 80, 'learning_rate': 1e-3, 'threads': 1, 'bfloat16': True}


def given(tmp_path, **more):
    return SimpleNamespace(**{**ARGUMENTS, 'out': tmp_path, **more})


def test_variants_differ_only_in_where_and_how_the_eyes_are_compared(tmp_path):
    args = given(tmp_path, start='mono.pt', pairs=['a', 'b'])
    commands = {name: command_of(name, args) for name in VARIANTS}
    own = ('--at', '--volume', '--out')

    def shared(words):
        return [w for w, before in zip(words, ['', *words]) if w not in own and before not in own]

    assert len({tuple(shared(words)) for words in commands.values()}) == 1
    assert len({folder_of(name, tmp_path) for name in VARIANTS}) == len(VARIANTS)
    assert '--bfloat16' in commands['1/8, 2-D']


def test_a_layer_in_3d_costs_more_and_comparing_at_an_eighth_less(tmp_path):
    macs = {name: count_macs(network_of(name, given(tmp_path)), 64, 96, 6) for name in VARIANTS}
    assert macs['1/8, 2-D'] < macs['1/4, 2-D'] < macs['1/4, 3-D']
    assert macs['1/8, 2-D'] < macs['1/8, 3-D'] < macs['1/4, 3-D']


@pytest.mark.parametrize('name', ['1/8, 3-D'])
def test_a_variant_is_exported_and_timed(tmp_path, name):
    export(network_of(name, given(tmp_path)), tmp_path / 'model.onnx')
    assert latencies_ms({name: tmp_path / 'model.onnx'}, rounds=1)[name] > 0


def test_table():
    rows = {'1/4, 2-D': {'MACs, G': 0.8412, 'ms': 11.617}}
    assert table(rows).splitlines()[-1] == '| 1/4, 2-D | 0.841 | 11.62 |'
