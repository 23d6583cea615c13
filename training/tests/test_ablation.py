import pytest
import torch

from ablation import latency_ms, table, with_encoder
from export import export
from netadapt import save
from network import ABLATIONS, CONFIGURATIONS, DepthNetwork, build

SMALL = (8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32)


def test_ablations_name_known_networks():
    assert {name for names in ABLATIONS.values() for name in names} <= set(CONFIGURATIONS)


@pytest.mark.parametrize('name', [n for n in CONFIGURATIONS if 'resnet' not in n])
def test_networks_can_be_built(name):
    assert DepthNetwork(**CONFIGURATIONS[name]).configuration['skips'] in ('none', 'add', 'concat')


def test_latency_is_measured(tmp_path):
    torch.manual_seed(0)
    export(DepthNetwork(encoder_channels=SMALL).eval(), tmp_path / 'model.onnx')
    assert latency_ms(tmp_path / 'model.onnx', 1) > 0


def test_table():
    assert table({'a': {'ms': 1.5}}) == '| network | ms |\n| --- | --- |\n| a | 1.5 |\n'


def test_variants_start_with_the_same_encoder(tmp_path):
    source = build('fastdepth-full')
    save(source, tmp_path / 'encoder.pt')
    variant = with_encoder('mobilenet-nnconv3', tmp_path / 'encoder.pt')
    for ours, theirs in zip(variant.encoder.parameters(), source.encoder.parameters(), strict=True):
        assert torch.equal(ours, theirs)
