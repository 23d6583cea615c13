import h5py
import numpy as np
import pytest
from PIL import Image

from nyu_hdf5 import NyuHdf5
from photos import Photos
from preprocessing import augmented, paper, view
from rgbd_folders import TUM, RgbdFolder


def write_frame(root, name, depth, depth_name=None):
    for part in ('rgb', 'depth'):
        (root / part).mkdir(exist_ok=True)
    height, width = depth.shape
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = np.arange(width)
    Image.fromarray(rgb).save(root / 'rgb' / f'{name}.png')
    Image.fromarray(depth).save(root / 'depth' / f'{depth_name or name}.png')


def test_millimetres(tmp_path):
    write_frame(tmp_path, '0000', np.full((24, 32), 1500, np.uint16))
    frames = RgbdFolder.open(tmp_path)
    rgb, depth = frames.load(0)
    assert (len(frames), rgb.shape, rgb.dtype) == (1, (24, 32, 3), np.uint8)
    assert (depth.dtype, depth[0, 0]) == (np.float32, pytest.approx(1.5))


def test_nyu_8_bit_ends_at_ten_metres(tmp_path):
    write_frame(tmp_path, '0000', np.full((24, 32), 255, np.uint8))
    assert RgbdFolder.open(tmp_path).load(0)[1][0, 0] == pytest.approx(10)


def test_tum_is_paired_by_time_and_has_its_own_unit(tmp_path):
    depth = np.full((24, 32), 5000, np.uint16)
    write_frame(tmp_path, '1305031102.175304', depth, '1305031102.160407')
    write_frame(tmp_path, '1305031109.000000', depth, '1305031110.000000')
    frames = RgbdFolder.open(tmp_path, TUM)
    assert len(frames) == 1
    assert frames.load(0)[1][0, 0] == pytest.approx(1)


def test_border_and_sequences(tmp_path):
    for name in ('0000', '0001', '0002'):
        write_frame(tmp_path, name, np.ones((24, 32), np.uint16))
    (tmp_path / 'manifest.csv').write_text('file,sequence\n0000,a\n0001,b\n0002,b\n')
    assert len(RgbdFolder.open(tmp_path, sequences=['b'])) == 2
    frames = RgbdFolder.open(tmp_path, without=['b'], border=2)
    assert len(frames) == 1
    assert frames.load(0)[0].shape == (20, 28, 3)


def test_nyu_hdf5(tmp_path):
    with h5py.File(tmp_path / '00001.h5', 'w') as file:
        file['rgb'] = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
        file['depth'] = np.full((4, 5), 2.5, np.float32)
    rgb, depth = NyuHdf5.open(tmp_path).load(0)
    assert (rgb.shape, rgb[0, 0].tolist(), depth[3, 4]) == ((4, 5, 3), [0, 20, 40], 2.5)


def test_photos_have_no_depth(tmp_path):
    Image.new('L', (8, 6), 7).save(tmp_path / 'a.jpg')
    rgb, depth = Photos.open(tmp_path).load(0)
    assert (rgb.shape, depth) == ((6, 8, 3), None)


@pytest.mark.parametrize('opener', [RgbdFolder, NyuHdf5, Photos])
def test_empty_folder_is_named(tmp_path, opener):
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        opener.open(tmp_path)


def columns(width, height):
    """A picture whose red is its column, and whose depth is that in metres."""
    across = np.broadcast_to(np.arange(width, dtype=np.float32), (height, width))
    rgb = np.repeat(across[..., None], 3, 2).astype(np.uint8)
    return rgb, np.ascontiguousarray(across)


def test_view_is_the_middle_four_by_three():
    rgb, depth = view(*columns(200, 100))
    assert rgb.shape == (224, 224, 3)
    assert depth[0, 0] == pytest.approx(33, abs=1)
    assert depth[0, -1] == pytest.approx(166, abs=1)
    assert np.abs(rgb[..., 0].astype(float) - depth).max() <= 1


def test_paper_keeps_304_by_228_of_a_250_high_picture():
    _, depth = paper(*columns(333, 250))
    assert depth[0, 0] == pytest.approx((333 - 304) / 2, abs=1)
    assert depth[0, -1] == pytest.approx((333 + 304) / 2, abs=2)


def test_augmentation_moves_colour_and_depth_together_and_divides_depth():
    rgb, depth = columns(240, 180)
    rng = np.random.default_rng(0)
    for _ in range(20):
        cut, cut_depth = augmented(rgb, depth, rng, degrees=0)
        # The view is 1/scale wide, so its depth, divided by the scale, still is the column over the scale.
        width = abs(float(cut[0, -1, 0]) - float(cut[0, 0, 0])) + 1
        scale = 240 / width
        assert 0.95 <= scale <= 1.6
        middle = float(cut[112, 112, 0])
        assert cut_depth[112, 112] == pytest.approx(middle / scale, rel=0.03, abs=1.5)
