import numpy as np
import pytest
import torch

from losses import depth_loss
from network import build, load_network
from train import Trainer, Views, main, moved, parse_sizes, shrink, size_at


def write_views(folder, count, teacher, truth, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    np.save(folder / 'rgb.npy', rng.integers(0, 255, (count, 224, 224, 3), np.uint8))
    np.save(folder / 'teacher.npy', np.full((count, 112, 112), teacher, np.float16))
    np.save(folder / 'truth.npy', np.full((count, 112, 112), truth, np.float16))


@pytest.fixture
def views(tmp_path):
    write_views(tmp_path / 'views' / 'rooms', 4, 2, 0)
    (tmp_path / 'sets.yaml').write_text('batch: { rooms: { share: 1 } }\n')
    return tmp_path / 'views'


def test_learns_a_constant(views, monkeypatch):
    monkeypatch.setattr('train.WARM_UP_STEPS', 1)
    torch.manual_seed(0)
    trainer = Trainer(build('fastdepth'), 1e-3)
    rng = np.random.default_rng(0)
    *batch, _ = Views(views).batch(rng, 4)
    rgb, teacher, _ = shrink(64, *batch)
    losses = [trainer.step(rgb, lambda p: depth_loss(p, teacher), 5e-3, False) for _ in range(20)]
    assert losses[-1] < losses[0] / 2


def test_goes_on_where_it_stopped(views, monkeypatch):
    out = views / 'out'
    base = ['train.py', '--views', str(views), '--out', str(out), '--batch', '2', '--sizes', '64:1']
    base += ['--sets', str(views.parent / 'sets.yaml')]
    monkeypatch.setattr('sys.argv', [*base, '--samples', '4'])
    main()
    first = torch.load(out / 'checkpoint.pt', weights_only=True)
    monkeypatch.setattr('sys.argv', [*base, '--samples', '6'])
    main()
    second = torch.load(out / 'checkpoint.pt', weights_only=True)
    assert (first['progress']['samples'], second['progress']['samples']) == (4, 6)
    assert second['progress']['step'] == 3
    assert load_network(out / 'checkpoint.pt')(torch.rand(1, 3, 64, 64)).shape == (1, 1, 64, 64)


def test_a_batch_has_the_share_of_each_set(views):
    write_views(views / 'photos', 2, 5, 5)
    both = Views(views, shares={'rooms': 3, 'photos': 1})
    assert (len(both), [f.name for f in both.folders]) == (6, ['photos', 'rooms'])
    rng = np.random.default_rng(0)
    for _ in range(5):
        _, teacher, truth, sets = both.batch(rng, 8)
        assert np.bincount(sets).tolist() == [2, 6]
        assert (teacher[:2] == 5).all() and (truth[:2] == 5).all()
        assert (teacher[2:] == 2).all() and (truth[2:] == 0).all()
    # Less than one a batch: now and then.
    few = sum((both.batch(rng, 2)[3] == 0).sum() for _ in range(200))
    assert few == pytest.approx(100, abs=15)
    with pytest.raises(ValueError, match='photos'):
        Views(views, shares={'rooms': 1})


def test_views_of_a_part(views):
    for name in ('rgb', 'teacher', 'truth'):
        path = views / 'rooms' / f'{name}.npy'
        array = np.load(path)
        array[3] = 7
        np.save(path, array)
    rng = np.random.default_rng(0)
    assert (Views(views).batch(rng, 8, 0.75)[1] == 7).all()
    assert (Views(views).batch(rng, 8, 0, 0.75)[1] == 2).all()


def test_moved_views_keep_colour_and_depth_together():
    torch.manual_seed(0)
    across = torch.linspace(1, 3, 224).expand(1, 1, 224, 224)
    rgb = across.expand(6, 3, -1, -1) / 3
    depth = across[..., ::2, ::2].expand(6, -1, -1, -1)
    turned, taught, true = moved(rgb, depth, depth, 1.2, 4)
    torch.testing.assert_close(taught, true)
    # Where nothing is known there is no depth; elsewhere it is what the colour says, over the zoom.
    known = taught[:, 0] > 0
    assert 0.9 < known.float().mean() < 1
    zoom = 3 * turned[:, 0, ::2, ::2] / taught[:, 0].clamp(min=0.1)
    for one, where in zip(zoom, known):
        assert 1 <= one[where].median() <= 1.2
        assert one[where].std() < 0.01


def test_a_frozen_encoder_stays(views):
    trainer = Trainer(build('fastdepth'), 1e-3)
    before = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    rgb, teacher = torch.rand(2, 3, 64, 64), torch.full((2, 1, 32, 32), 2.0)
    trainer.step(rgb, lambda p: depth_loss(p, teacher), 1e-2, False, encoder_rate=0)
    after = trainer.network.state_dict()
    assert all(torch.equal(after[k], before[k]) for k in before if k.startswith('encoder.'))
    assert not torch.equal(after['head.bias'], before['head.bias'])
    trainer.step(rgb, lambda p: depth_loss(p, teacher), 1e-2, False)
    assert not torch.equal(trainer.network.state_dict()['encoder.layers.0.0.weight'], before['encoder.layers.0.0.weight'])


def test_processes_share_a_batch(views, monkeypatch):
    out = views / 'out'
    options = ['--views', views, '--out', out, '--batch', '4', '--sizes', '64:1', '--samples', '8']
    options += ['--sets', views.parent / 'sets.yaml', '--processes', '2', '--threads', '1']
    monkeypatch.setattr('sys.argv', ['train.py', *map(str, options)])
    main()
    progress = torch.load(out / 'checkpoint.pt', weights_only=True)['progress']
    assert (progress['samples'], progress['step']) == (8, 2)


def test_sizes_by_share():
    sizes = parse_sizes('128:0.5,224:1')
    assert [size_at(sizes, share) for share in (0, 0.49, 0.5, 1)] == [128, 128, 224, 224]
