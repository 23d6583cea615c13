from itertools import product

import numpy as np
import pytest
import torch

from encoders import MOBILENET
from export import export
from folded import conv_norm_pairs
from import_weights import network_of_npz, network_of_onnx
from network import DepthNetwork, load_network
from netadapt import save
from test_export import SMALL, disturb


def batches(seed=0):
    torch.manual_seed(seed)
    return [torch.rand(4, 3, 64, 64) for _ in range(2)]


@pytest.fixture(params=product([False, True], [False, True]), ids=lambda p: f'steep {p[0]}, symmetric {p[1]}')
def exported(tmp_path, request):
    steep, symmetric = request.param
    channels = {'encoder_channels': SMALL, 'decoder_channels': (16, 16, 16, 8, 8)}
    network = disturb(DepthNetwork(**channels, least=0.2, symmetric=symmetric))
    path = tmp_path / 'model.onnx'
    export(network, path, 64, 64, steep=steep)
    return network, path


def test_an_exported_model_comes_back(exported):
    network, path = exported
    found = network_of_onnx(path, batches())
    assert found.configuration == network.configuration
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(found(x), network(x), rtol=1e-3, atol=1e-4)


def test_normalisation_is_the_identity_with_the_pictures_statistics(exported):
    found = network_of_onnx(exported[1], batches())
    with torch.no_grad():
        x = torch.cat(batches())
        conv, norm = conv_norm_pairs(found)[0]
        values = conv(2 * x - 1 if found.symmetric else x)
        torch.testing.assert_close(norm.running_mean, values.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(norm.running_var, values.var((0, 2, 3), correction=0), rtol=1e-3, atol=1e-4)
        # On those pictures, with their own statistics as in training, it computes nearly the same.
        evaluated = found(x)
        found.train()
        difference = (found(x) - evaluated).abs().mean()
    assert difference < 0.02 * evaluated.abs().mean()


def test_imagenet_encoder(tmp_path):
    """An npz with random weights: features are those of the folded convolutions on pictures in [-1, 1]."""
    rng = np.random.default_rng(0)
    arrays, folded = {}, []

    def add(name, outputs, inputs, kernel):
        spread = (2 / (inputs * kernel**2)) ** 0.5
        arrays[f'{name}/weight'] = (spread * rng.standard_normal((outputs, inputs, kernel, kernel))).astype(np.float32)
        arrays[f'{name}/bias'] = rng.uniform(-0.2, 0.5, outputs).astype(np.float32)
        folded.append([torch.from_numpy(arrays[f'{name}/{part}']) for part in ('weight', 'bias')])

    add('conv0_conv', MOBILENET[0], 3, 3)
    for n in range(1, 14):
        add(f'conv{n}_depthwise', MOBILENET[n - 1], 1, 3)
        add(f'conv{n}_pointwise', MOBILENET[n], MOBILENET[n - 1], 1)
    np.savez(tmp_path / 'imagenet.npz', **arrays)

    found = network_of_npz(tmp_path / 'imagenet.npz', batches())
    assert found.configuration['symmetric']
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        wanted = 2 * picture - 1
        convs = [conv for conv, _ in conv_norm_pairs(found)[:27]]
        for conv, (weight, bias) in zip(convs, folded):
            wanted = torch.nn.functional.conv2d(wanted, weight, bias, conv.stride, conv.padding, 1, conv.groups).clamp(0, 6)
        features, _ = found.encoder(2 * picture - 1)
        torch.testing.assert_close(features, wanted, rtol=1e-3, atol=1e-3)
        # The scaling is in the graph: the network takes pictures in [0, 1].
        save(found, tmp_path / 'start.pt')
        assert export(load_network(tmp_path / 'start.pt'), tmp_path / 'full.onnx', 64, 64) <= 1e-4


def test_other_weights_are_refused(tmp_path):
    export(disturb(DepthNetwork(encoder_channels=SMALL, skips='none', depthwise=False)), tmp_path / 'model.onnx', 64, 64)
    with pytest.raises(ValueError, match='not those of MobileNet'):
        network_of_onnx(tmp_path / 'model.onnx', batches())
