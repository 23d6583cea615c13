import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from decoders import STAGES
from export import TOLERANCE, export, fold, rescale
from network import DepthNetwork, build

SMALL = (8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32)


def disturb(network):
    """Normalisation as after training, so that folding it wrongly would show."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.2, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.2, 0.5)
    nn.init.normal_(network.head.weight, std=0.3)
    nn.init.constant_(network.head.bias, 2)
    return network.eval()


def test_default_model_is_as_its_contract_says(tmp_path):
    path = tmp_path / 'fastdepth.onnx'
    assert export(disturb(build('fastdepth')), path) <= TOLERANCE
    assert path.stat().st_size <= 6_000_000
    model = onnx.load(path)
    (rgb,), (depth,) = model.graph.input, model.graph.output
    shape = [[d.dim_value for d in t.type.tensor_type.shape.dim] for t in (rgb, depth)]
    assert (rgb.name, depth.name) == ('rgb', 'depth')
    assert shape == [[1, 224, 224, 3], [1, 1, 224, 224]]
    assert rgb.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    kinds = [node.op_type for node in model.graph.node]
    assert 'BatchNormalization' not in kinds
    # The pointwise head, a convolution, stands before the last of the five interpolations.
    last_conv = max(i for i, kind in enumerate(kinds) if kind == 'Conv')
    last_resize = max(i for i, kind in enumerate(kinds) if kind == 'Resize')
    assert kinds.count('Resize') == 5
    assert last_conv < last_resize


@pytest.mark.parametrize('decoder', STAGES)
@pytest.mark.parametrize('depthwise', [True, False])
def test_every_decoder_is_the_same_in_onnx(tmp_path, decoder, depthwise):
    network = disturb(DepthNetwork('mobilenet', decoder, depthwise, 'add', SMALL))
    assert export(network, tmp_path / 'model.onnx', 64, 96) <= TOLERANCE


def test_a_dynamic_batch_gives_each_picture_its_own_depth(tmp_path):
    path = tmp_path / 'batch.onnx'
    network = disturb(DepthNetwork(encoder_channels=SMALL))
    # Compared with PyTorch on three pictures in one call.
    assert export(network, path, 64, 96, batch='dynamic') <= TOLERANCE
    (rgb,), (depth,) = onnx.load(path).graph.input, onnx.load(path).graph.output
    assert [t.type.tensor_type.shape.dim[0].dim_param for t in (rgb, depth)] == ['batch', 'batch']
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    pictures = torch.randint(0, 256, (3, 64, 96, 3), dtype=torch.uint8).numpy()
    together = session.run(None, {'rgb': pictures})[0]
    for i in range(3):
        assert (together[i : i + 1] == session.run(None, {'rgb': pictures[i : i + 1]})[0]).all()


@pytest.mark.parametrize('encoder', ['resnet18', 'resnet50'])
def test_resnets_are_the_same_in_onnx(tmp_path, encoder):
    channels = (8, 8, 8, 16, 32)
    network = disturb(DepthNetwork(encoder, skips='concat', encoder_channels=channels))
    assert export(network, tmp_path / 'model.onnx', 64, 64) <= TOLERANCE


def test_folding_leaves_the_network_alone():
    network = disturb(DepthNetwork(encoder_channels=SMALL))
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = network(x)
        torch.testing.assert_close(fold(network)(x), before, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(network(x), before)


def test_scale_multiplies_metres():
    network = disturb(DepthNetwork(encoder_channels=SMALL, least=0.0))
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = network(x)
        torch.testing.assert_close(rescale(network, 1.5)(x), 1.5 * before, rtol=1e-4, atol=1e-4)
