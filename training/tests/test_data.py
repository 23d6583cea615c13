import h5py
import numpy as np
import pytest
import yaml
from PIL import Image

from evaluate import paper_crop, whole_view
from nyu_hdf5 import NyuHdf5
from photos import Photos
from preprocessing import augmented, paper, view
from rgbd_folders import TUM, RgbdFolder
from sets import DEFAULT, batch_mix


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


def test_webp_is_read(tmp_path):
    write_frame(tmp_path, '0000', np.full((24, 32), 1500, np.uint16))
    with Image.open(tmp_path / 'rgb' / '0000.png') as picture:
        picture.save(tmp_path / 'rgb' / '0000.webp', lossless=True)
    (tmp_path / 'rgb' / '0000.png').unlink()
    rgb, depth = RgbdFolder.open(tmp_path).load(0)
    assert rgb[0, :, 0].tolist() == list(range(32))
    assert len(Photos.open(tmp_path / 'rgb')) == 1


def test_blocks_share_no_room(tmp_path):
    for number in range(40):
        write_frame(tmp_path, f'{number:04}', np.ones((2, 2), np.uint16))
    blocks = {'of': 10, 'every': 2, 'margin': 2}

    def numbers(**more):
        return [int(colour.stem) for colour, _ in RgbdFolder.open(tmp_path, blocks={**blocks, **more}).frames]

    assert numbers() == [*range(10), *range(20, 30)]
    assert numbers(held_out=True) == [*range(12, 18), *range(32, 38)]


def test_photos_by_category(tmp_path):
    for name in ('a', 'b', 'c'):
        Image.new('RGB', (8, 6)).save(tmp_path / f'{name}.webp')
    (tmp_path / 'manifest.csv').write_text('file,category\na.webp,shop\nb.webp,office\nc.webp,office\n')
    assert len(Photos.open(tmp_path, categories=['office'])) == 2
    assert [p.stem for p in Photos.open(tmp_path, without=['office']).frames] == ['a']


def test_sets_are_split_by_scene():
    description = yaml.safe_load(DEFAULT.read_text())
    assert set(description['batch']) == set(description['train'])
    close_ups = ('tum-fr1-xyz', 'tum-fr1-rpy', 'ipad-desk', 'realsense-desk')
    shares = {name: options['share'] for name, options in batch_mix().items()}
    assert sum(shares[name] for name in close_ups) <= 0.03 * sum(shares.values())


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


def test_paper_resamples_in_two_steps():
    rgb, depth = paper(*columns(240, 180))
    # 333 x 250, of that columns 14 to 317, of those 224: the nearest pixel each time.
    middle = ((np.arange(304) + 14 + 0.5) * 240 / 333).astype(int)
    wanted = middle[((np.arange(224) + 0.5) * 304 / 224).astype(int)]
    # Where a pixel's centre lies on an edge either neighbour may be picked.
    assert (depth[0] != wanted).sum() <= 3
    assert np.abs(depth[0] - wanted).max() <= 1
    assert rgb[100, :, 0].tolist() == depth[100].tolist()


def test_whole_view_is_scored_on_the_papers_pixels():
    rgb, depth = columns(240, 180)
    asked = []

    def predict(seen):
        asked.append(seen)
        return seen[..., 0].astype(np.float32)

    predicted, truth = whole_view(predict, rgb, depth)
    assert asked[0].tolist() == view(rgb)[0].tolist()
    assert truth.tolist() == paper(rgb, depth)[1].tolist()
    assert np.abs(predicted - truth).max() <= 1.5
    predicted, truth = paper_crop(predict, rgb, depth)
    assert predicted.tolist() == truth.tolist()


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
