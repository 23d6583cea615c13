import numpy as np
import pytest
import torch

from losses import depth_loss
from network import build, load_network
from train import Trainer, Views, main, parse_sizes, shrink, size_at


@pytest.fixture
def views(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / 'rgb.npy', rng.integers(0, 255, (4, 224, 224, 3), np.uint8))
    np.save(tmp_path / 'teacher.npy', np.full((4, 112, 112), 2, np.float16))
    np.save(tmp_path / 'truth.npy', np.zeros((4, 112, 112), np.float16))
    return tmp_path


def test_learns_a_constant(views, monkeypatch):
    monkeypatch.setattr('train.WARM_UP_STEPS', 1)
    torch.manual_seed(0)
    trainer = Trainer(build('fastdepth'), 1e-3)
    rng = np.random.default_rng(0)
    rgb, teacher, _ = shrink(64, *Views(views).batch(rng, 4))
    losses = [trainer.step(rgb, [(teacher, 1)], depth_loss, 5e-3, False) for _ in range(20)]
    assert losses[-1] < losses[0] / 2


def test_goes_on_where_it_stopped(views, monkeypatch):
    out = views / 'out'
    base = ['train.py', '--views', str(views), '--out', str(out), '--batch', '2', '--sizes', '64:1']
    monkeypatch.setattr('sys.argv', [*base, '--samples', '4'])
    main()
    first = torch.load(out / 'checkpoint.pt', weights_only=True)
    monkeypatch.setattr('sys.argv', [*base, '--samples', '6'])
    main()
    second = torch.load(out / 'checkpoint.pt', weights_only=True)
    assert (first['progress']['samples'], second['progress']['samples']) == (4, 6)
    assert second['progress']['step'] == 3
    assert load_network(out / 'checkpoint.pt')(torch.rand(1, 3, 64, 64)).shape == (1, 1, 64, 64)


def test_several_folders_are_one(views, tmp_path_factory):
    other = tmp_path_factory.mktemp('other')
    np.save(other / 'rgb.npy', np.full((2, 224, 224, 3), 255, np.uint8))
    np.save(other / 'teacher.npy', np.full((2, 112, 112), 5, np.float16))
    np.save(other / 'truth.npy', np.full((2, 112, 112), 5, np.float16))
    both = Views(views, other)
    assert len(both) == 6
    rgb, teacher, truth = both.batch(np.random.default_rng(0), 40)
    new = teacher[:, 0, 0, 0] == 5
    assert 0 < new.sum() < 40
    assert (rgb[new] == 1).all() and (truth[new] == 5).all() and (truth[~new] == 0).all()
    _, later, _ = both.batch(np.random.default_rng(0), 8, 4)
    assert (later == 5).all()


def test_sizes_by_share():
    sizes = parse_sizes('128:0.5,224:1')
    assert [size_at(sizes, share) for share in (0, 0.49, 0.5, 1)] == [128, 128, 224, 224]
