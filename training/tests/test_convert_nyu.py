import h5py
import numpy as np

from convert_nyu import convert
from rgbd_folders import RgbdFolder


def test_folder_holds_what_the_hdf5_files_held(tmp_path):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (3, 12, 16), np.uint8)
    depth = rng.uniform(0.5, 9, (12, 16)).astype(np.float32)
    depth[0, 0], depth[0, 1] = 0, np.nan
    source = tmp_path / 'val'
    source.mkdir()
    with h5py.File(source / '00001.h5', 'w') as file:
        file['rgb'], file['depth'] = rgb, depth
    assert convert(source, tmp_path / 'out') == 1
    found_rgb, found = RgbdFolder.open(tmp_path / 'out').load(0)
    np.testing.assert_array_equal(found_rgb, rgb.transpose(1, 2, 0))
    assert found[0, 0] == found[0, 1] == 0
    np.testing.assert_allclose(found[1:], depth[1:], atol=0.0006)
