import onnx
import pytest
import torch

from export import TOLERANCE, export
from network import DepthNetwork
from steepen import steepen
from test_export import SMALL, disturb


def row(values):
    """A picture, 12 rows high, of which each row is this."""
    return torch.tensor(values, dtype=torch.float32).expand(1, 1, 12, -1)


def test_a_blurred_edge_becomes_steep():
    blurred = row([1.0] * 10 + [1.2, 1.6, 2.0, 2.4] + [2.6] * 10)
    steep = steepen(blurred)
    assert (steep[..., 1:] - steep[..., :-1]).max() > 2 * (blurred[..., 1:] - blurred[..., :-1]).max()
    # Where it was, and between the two depths.
    assert ((steep > 1.8) == (blurred > 1.79)).all()
    assert steep.min() >= 1 and steep.max() <= 2.6


@pytest.mark.parametrize('share', [0.01, 0.03, 0.06])
def test_a_slope_stays_as_it_is(share):
    # A floor or a wall, seen at an angle: 1 to 6 % farther with each pixel.
    slope = row([(1 + share) ** n for n in range(40)])
    inside = steepen(slope)[..., 6:-6]
    assert torch.allclose(inside, slope[..., 6:-6], rtol=1e-4)


def test_noise_stays_as_it_is():
    torch.manual_seed(0)
    noise = 3 + 0.01 * torch.randn(1, 1, 32, 32)
    assert torch.allclose(steepen(noise), noise)


def test_a_little_more_depth_never_changes_much():
    torch.manual_seed(0)
    depth = 0.5 + 5 * torch.rand(1, 1, 64, 64)
    for _ in range(3):
        depth = torch.nn.functional.avg_pool2d(depth, 3, 1, 1)
    moved = steepen(depth + 1e-5 * torch.randn_like(depth)) - steepen(depth)
    assert moved.abs().max() < 1e-2


def test_each_picture_of_a_batch_is_on_its_own():
    torch.manual_seed(0)
    pictures = 1 + torch.rand(3, 1, 16, 16)
    assert torch.equal(steepen(pictures), torch.cat([steepen(one[None]) for one in pictures]))


@pytest.mark.parametrize('symmetric', [False, True])
def test_it_is_the_same_in_onnx(tmp_path, symmetric):
    network = disturb(DepthNetwork(encoder_channels=SMALL, symmetric=symmetric))
    plain, steep = tmp_path / 'plain.onnx', tmp_path / 'steep.onnx'
    assert export(network, plain, 64, 96) <= TOLERANCE
    assert export(network, steep, 64, 96, steep=True) <= TOLERANCE
    kinds = [node.op_type for node in onnx.load(steep).graph.node]
    assert 'MaxPool' in kinds and 'MaxPool' not in [node.op_type for node in onnx.load(plain).graph.node]


def test_a_decoder_that_learns_how_to_enlarge_has_none(tmp_path):
    network = disturb(DepthNetwork('mobilenet', 'deconv3', True, 'add', SMALL))
    with pytest.raises(ValueError, match='only a decoder'):
        export(network, tmp_path / 'model.onnx', 64, 96, steep=True)
