import pytest
import torch

from counting import count_macs, count_parameters
from decoders import STAGES, Unpool
from network import DepthNetwork, build

SMALL = (8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32)


def test_pruned_network_has_the_papers_size():
    network = build('fastdepth')
    assert count_parameters(network) == pytest.approx(1.34e6, rel=0.02)
    assert count_macs(network) == pytest.approx(0.37e9, rel=0.02)


def test_full_network_has_the_papers_size():
    network = build('fastdepth-full')
    assert count_parameters(network) == pytest.approx(3.96e6, rel=0.002)
    assert count_macs(network) == pytest.approx(0.74e9, rel=0.01)


def test_additive_skips_cost_nothing_in_the_paper_network():
    assert count_macs(DepthNetwork(skips='none')) == count_macs(DepthNetwork(skips='add'))


def test_depthwise_decoder_is_a_fraction_of_a_dense_one():
    dense = count_macs(DepthNetwork(depthwise=False, skips='none'))
    assert dense > 4 * count_macs(DepthNetwork(depthwise=True, skips='none'))


@pytest.mark.parametrize('decoder', STAGES)
@pytest.mark.parametrize('depthwise', [True, False])
@pytest.mark.parametrize('skips', ['none', 'add', 'concat'])
def test_depth_has_the_size_of_the_picture(decoder, depthwise, skips):
    network = DepthNetwork('mobilenet', decoder, depthwise, skips, SMALL).eval()
    with torch.no_grad():
        depth = network(torch.rand(2, 3, 64, 96))
    assert depth.shape == (2, 1, 64, 96)
    assert depth.min() >= network.least


@pytest.mark.parametrize('encoder', ['resnet18', 'resnet50'])
@pytest.mark.parametrize('skips', ['none', 'add', 'concat'])
def test_resnet_encoders(encoder, skips):
    channels = (8, 8, 8, 16, 32)
    network = DepthNetwork(encoder, skips=skips, encoder_channels=channels).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 1, 64, 64)


def test_half_is_the_whole_before_its_last_interpolation():
    network = DepthNetwork(encoder_channels=SMALL).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network.half(x), network(x)[..., ::2, ::2])


@pytest.mark.parametrize('decoder', STAGES)
def test_every_decoder_can_be_trained_at_half_the_size(decoder):
    network = DepthNetwork('mobilenet', decoder, False, 'none', SMALL).train()
    half = network.half(torch.rand(2, 3, 64, 96))
    assert half.shape == (2, 1, 32, 48)
    half.mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_unpool_puts_values_between_zeros():
    found = Unpool()(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))[0, 0]
    wanted = [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    assert found.tolist() == wanted


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match='no encoder "vgg"'):
        DepthNetwork(encoder='vgg')
    with pytest.raises(ValueError, match='no decoder "conv7"'):
        DepthNetwork(decoder='conv7')
