import json

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from latency import LatencyTable, layer_model, layer_shapes, layers_to_measure, main
from network import DepthNetwork
from test_netadapt import DECODER, ENCODER


@pytest.fixture
def network():
    return DepthNetwork(encoder_channels=ENCODER, decoder_channels=DECODER).eval()


def test_latency_is_the_sum_of_the_layers(network):
    rows = [{**shape, 'ms': 1.0} for shape in layer_shapes(network)]
    table = LatencyTable(rows)
    assert table(network) == pytest.approx(len(rows))
    with pytest.raises(ValueError, match='has no layer with kind'):
        LatencyTable(rows[1:])(network)


def test_between_measured_widths_time_follows_work():
    shape = {'kind': 'pointwise', 'inputs': 32, 'outputs': 32, 'kernel': 1, 'stride': 1, 'size': 14}
    table = LatencyTable([{**shape, 'ms': 2.0}, {**shape, 'inputs': 8, 'ms': 1.0}])
    assert table.layer({**shape, 'outputs': 24}) == pytest.approx(1.5)


def test_layers_to_measure_hold_every_layer_and_narrower_ones(network):
    layers = layers_to_measure(network, [1, 0.5])
    assert all(shape in layers for shape in layer_shapes(network))
    assert len({tuple(layer.values()) for layer in layers}) == len(layers)
    pointwise = {(n['inputs'], n['outputs']) for n in layers if n['kind'] == 'pointwise' and n['size'] == 7}
    assert {(32, 32), (32, 16), (16, 32), (16, 16)} <= pointwise
    assert all(n['inputs'] == n['outputs'] for n in layers if n['kind'] == 'depthwise')


@pytest.mark.parametrize('kind', ['conv', 'depthwise', 'pointwise'])
def test_a_layers_model_is_that_convolution(kind):
    layer = {'kind': kind, 'inputs': 8, 'outputs': 8, 'kernel': 3, 'stride': 2, 'size': 12}
    if kind == 'pointwise':
        layer |= {'kernel': 1, 'stride': 1, 'outputs': 16}
    session = onnxruntime.InferenceSession(layer_model(layer).SerializeToString())
    x = np.random.default_rng(0).normal(size=(1, 8, 12, 12)).astype(np.float32)
    groups = 8 if kind == 'depthwise' else 1
    kernel, outputs = layer['kernel'], layer['outputs']
    conv = nn.Conv2d(8, outputs, kernel, layer['stride'], kernel // 2, groups=groups)
    nn.init.constant_(conv.weight, 0.01)
    nn.init.constant_(conv.bias, 0.01)
    wanted = conv(torch.from_numpy(x)).relu().detach().numpy()
    np.testing.assert_allclose(session.run(None, {'x': x})[0], wanted, atol=1e-6)


def test_command_writes_a_folder_for_bench_layers(network, tmp_path, monkeypatch):
    state = {'configuration': network.configuration, 'average': network.state_dict()}
    torch.save(state, tmp_path / 'checkpoint.pt')
    options = ['--start', tmp_path / 'checkpoint.pt', '--out', tmp_path / 'layers', '--shares', '1']
    monkeypatch.setattr('sys.argv', ['latency.py', *map(str, options)])
    main()
    layers = json.loads((tmp_path / 'layers' / 'layers.json').read_text())
    assert all((tmp_path / 'layers' / layer['file']).exists() for layer in layers)
    (tmp_path / 'latency.json').write_text(json.dumps({'layers': [{**n, 'ms': 1} for n in layers]}))
    assert LatencyTable.read(tmp_path / 'latency.json')(network) == len(layer_shapes(network))
