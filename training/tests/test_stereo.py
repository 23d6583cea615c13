from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from evaluate_stereo import score
from export_stereo import export
from make_pairs import drawn, of_rgbd, write
from netadapt import save
from network import DepthNetwork
from stereo_metrics import disparity_metrics
from stereo_network import StereoNetwork, correlation, start_with
from stereo_pairs import Middlebury, second_eye
from train_stereo import Pairs, StereoTrainer, disparity_loss, starting, two_cameras

SMALL = (8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 32)
DECODER = (16, 16, 16, 8, 8)


def small(**options):
    torch.manual_seed(0)
    return StereoNetwork(matching=8, width=16, encoder_channels=SMALL, decoder_channels=DECODER, **options)


def noise(height=64, width=96, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


class OneRoom:
    """A set of one picture: a wall, and a box before it."""

    def __len__(self):
        return 1

    def load(self, _index):
        depth = np.full((240, 320), 4, np.float32)
        depth[80:160, 100:200] = 2
        return noise(240, 320), depth


def test_correlation_is_greatest_at_the_shift():
    left = torch.randn(1, 8, 6, 40)
    right = torch.roll(left, -5, 3)
    maps = correlation(left, right, 1, 8)
    assert (maps[0, :, :, 8:30].mean((1, 2)).argmax() == 5).item()


def test_correlation_keeps_groups_apart():
    left = torch.randn(2, 8, 3, 10)
    both = correlation(left, left, 4, 3)
    assert both.shape == (2, 12, 3, 10)
    alone = correlation(left[:, 2:4], left[:, 2:4], 1, 3)
    assert torch.allclose(both[:, 3:6], alone)


@pytest.mark.parametrize('options', [{}, {'at': 8, 'groups': 8}, {'volume': '3d'}])
def test_networks_give_a_disparity_a_pixel(options):
    with torch.no_grad():
        found = small(**options).eval()(torch.rand(2, 6, 64, 96))
    assert found.shape == (2, 1, 64, 96)
    assert (found >= 0).all()


def test_weights_of_a_mono_network_are_taken():
    mono = DepthNetwork(encoder_channels=SMALL, decoder_channels=DECODER)
    stereo = start_with(small(), mono)
    assert torch.equal(stereo.stages[0].conv[0][0].weight, mono.stages[0].conv[0][0].weight)


def test_a_mono_network_that_netadapt_has_pruned_gives_the_widths(tmp_path):
    save(DepthNetwork(encoder_channels=SMALL, decoder_channels=DECODER), tmp_path / 'pruned.pt')
    network = starting(SimpleNamespace(start=tmp_path / 'pruned.pt', at=4, volume='2d'))
    assert network.configuration['encoder_channels'] == SMALL
    with torch.no_grad():
        assert network.eval()(torch.rand(1, 6, 64, 96)).shape == (1, 1, 64, 96)


@pytest.mark.parametrize('disparity', [3.0, 2.5])
def test_the_second_eye_sees_a_wall_moved(disparity):
    left = noise()
    right = second_eye(left, np.full((64, 96), disparity, np.float32), np.zeros_like(left))
    first = int(disparity)
    between = (left[:, first:-1].astype(float) + left[:, first + 1 :]) / 2 if disparity % 1 else left[:, first:-1]
    assert np.abs(right[:, : between.shape[1]] - between).max() <= 1
    assert (right[:, -first + 1 :] == 0).all()


def test_the_second_eye_sees_background_where_a_box_hides_it():
    left = np.full((8, 40, 3), 100, np.uint8)
    left[:, 20:30] = 200
    disparity = np.full((8, 40), 1, np.float32)
    disparity[:, 20:30] = 6
    right = second_eye(left, disparity, np.full_like(left, 7))
    assert (right[:, 14:24] == 200).all()
    assert (right[:, 24:29] == 7).all()
    assert (right[:, 29:39] == 100).all()


def test_metrics_count_what_is_not_filled_as_bad():
    truth = np.array([[10.0, 10, 10, 0]], np.float32)
    values = disparity_metrics(np.array([[10.5, 12.5, 0, 3]], np.float32), truth)
    assert values['endPoint'] == pytest.approx(1.5)
    assert values['bad1'] == values['bad2'] == pytest.approx(2 / 3)
    assert values['bad3'] == pytest.approx(1 / 3)
    assert values['filled'] == pytest.approx(2 / 3)
    assert values['delta1'] == pytest.approx(0.5)


@pytest.mark.parametrize('volume', ['2d', '3d'])
def test_training_lowers_the_loss_and_goes_on(tmp_path, volume):
    rng = np.random.default_rng(0)
    write(tmp_path / 'room', drawn(of_rgbd([OneRoom()]), 3, seed=0), 3)
    pairs = Pairs([tmp_path / 'room'])
    trainer = StereoTrainer(small(farthest=32, volume=volume), 2e-3, keep=0.9)
    losses = []
    for _ in range(12):
        pair, wanted = pairs.batch(rng, 2, cut=(64, 96))
        assert wanted.shape == (2, 1, 32, 48)
        losses.append(trainer.step(two_cameras(pair, rng), lambda b, w=wanted: disparity_loss(*b, w), 2e-3, False))
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert [len(held) for held in pairs.held_out().values()] == [3]


def test_an_exported_network_is_scored_at_its_own_size(tmp_path):
    export(small().eval(), tmp_path / 'stereo.onnx', 64, 96)
    folder = tmp_path / 'cones'
    folder.mkdir()
    for name in ('im2', 'im6'):
        Image.fromarray(noise(375, 450)).save(folder / f'{name}.png')
    Image.fromarray(np.full((375, 450), 40, np.uint8)).save(folder / 'disp2.png')
    exact = score(lambda left, _right: np.full(left.shape[:2], 10 * 320 / 450, np.float32), Middlebury.open(tmp_path))
    assert exact['bad1'] == 0
    assert exact['endPoint'] == pytest.approx(0, abs=1e-5)
