import numpy as np
import pytest
from PIL import Image

from export import export
from make_views import main
from network import build


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Runs the command on one flat picture two metres away; gives rgb, teacher, truth."""
    pixels = {'rgb': np.full((60, 80, 3), 90, np.uint8), 'depth': np.full((60, 80), 2000, np.uint16)}
    for folder, values in pixels.items():
        (tmp_path / 'rooms' / folder).mkdir(parents=True)
        Image.fromarray(values).save(tmp_path / 'rooms' / folder / '0.png')
    (tmp_path / 'sets.yaml').write_text('train: { rooms: {} }\nphotos: { rooms: { depth: false } }\n')

    def run(*options):
        places = ['--data', tmp_path, '--sets', tmp_path / 'sets.yaml', '--out', tmp_path / 'views']
        monkeypatch.setattr('sys.argv', ['make_views.py', *map(str, places), *map(str, options)])
        main()
        return [np.load(tmp_path / 'views' / 'rooms' / f'{name}.npy') for name in ('rgb', 'teacher', 'truth')]

    return run


def test_views_and_the_teachers_depth_beside_the_truth(make, tmp_path):
    network = build('fastdepth').eval()
    network.head.weight.data.zero_()
    network.head.bias.data.fill_(3)
    export(network, tmp_path / 'teacher.onnx')
    rgb, teacher, truth = make('--teacher', tmp_path / 'teacher.onnx', '--views', 2)
    assert (rgb.shape, rgb.dtype) == ((2, 224, 224, 3), np.uint8)
    assert teacher.shape == truth.shape == (2, 112, 112)
    # The truth gives the teacher its scale.
    assert np.unique(teacher[0]) == 2
    assert np.unique(truth[0]) == 2


def test_without_a_teacher_the_truth_takes_its_place(make):
    _, teacher, truth = make('--views', 1)
    assert np.array_equal(teacher, truth)


def test_goes_on_with_the_sets_that_are_missing(make, tmp_path):
    make('--views', 1)
    kept = tmp_path / 'views' / 'rooms' / 'rgb.npy'
    np.save(kept, np.zeros(3))
    assert make('--views', 1)[0].shape == (3,)


def test_photos_have_the_teachers_scale(make, tmp_path):
    network = build('fastdepth').eval()
    network.head.weight.data.zero_()
    network.head.bias.data.fill_(3)
    export(network, tmp_path / 'teacher.onnx')
    _, teacher, truth = make('--part', 'photos', '--teacher', tmp_path / 'teacher.onnx')
    np.testing.assert_allclose(teacher, 3, rtol=1e-3)
    assert not truth.any()


def test_photos_need_a_teacher(make):
    with pytest.raises(SystemExit, match='--teacher'):
        make('--part', 'photos')
