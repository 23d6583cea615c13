import numpy as np
import pytest

import teacher
from preprocessing import CROP, SIZE
from teacher import Teacher, crop_pixels, scaled_to, with_structure, within


@pytest.fixture
def make(monkeypatch):
    """A teacher whose reference is a function of a view."""

    def run(reference, relative=None):
        monkeypatch.setattr(teacher, 'onnx_predictor', lambda path, threads: reference)
        monkeypatch.setattr(teacher, 'relative_predictor', lambda path, threads: relative)
        return Teacher(['reference.onnx'], 'relative.onnx' if relative else None)

    return run


def test_crop_is_the_papers():
    left, top, right, bottom = within((0, 0, 1000 / 3, 250))
    assert (right - left, bottom - top) == pytest.approx((304, 228))
    assert crop_pixels() == tuple(round(edge * SIZE) for edge in CROP)


def test_mean_of_a_view_and_its_mirror_image(make):
    # This reference says that the left half is nearer, whatever it sees.
    halves = np.full((SIZE, SIZE), 1.0)
    halves[:, SIZE // 2 :] = 4
    rgb = np.zeros((240, 320, 3), np.uint8)
    assert make(lambda view: halves)(rgb) == pytest.approx(2, rel=1e-3)


def test_scale_is_the_whole_views(make):
    rgb = np.zeros((240, 320, 3), np.uint8)
    rgb[:4] = rgb[-4:] = 255  # a border that the crop does not see

    def reference(view):
        return np.full((SIZE, SIZE), 3.0 if view[0].mean() > 100 else 2.5)

    depth = make(reference)(rgb)
    assert np.median(depth) == pytest.approx(3, rel=1e-3)
    # The crop fades out: no step at its border.
    assert np.abs(np.diff(depth, axis=0)).max() < 0.05


def test_truth_gives_the_scale():
    taught = np.array([[1.0, 2.0], [3.0, 4.0]])
    truth = np.array([[1.5, 3.0], [4.5, 0.0]])
    assert scaled_to(taught, truth) == pytest.approx(1.5 * taught)
    assert scaled_to(taught, np.zeros((2, 2))) is taught


def test_structure_is_added_where_the_networks_agree():
    rng = np.random.default_rng(0)
    inverse = rng.uniform(0.2, 1, (32, 32))
    log = -np.log(inverse)
    relative = 7 * inverse + 3  # the same up to scale and offset
    assert with_structure(log, relative) == pytest.approx(log, abs=1e-4)
    sharper = relative + 0.3 * rng.standard_normal((32, 32))
    assert 0 < np.abs(with_structure(log, sharper) - log).mean() < 0.1
    other = rng.uniform(0, 1, (32, 32))
    assert with_structure(log, other) is log


def test_relative_network_is_for_photos_only(make):
    def reference(view):
        return np.tile(np.linspace(1, 3, SIZE), (SIZE, 1)).T

    asked = []

    def relative(rgb, box):
        asked.append(box)
        return 1 / reference(rgb)

    rgb = np.zeros((240, 320, 3), np.uint8)
    taught = make(reference, relative)
    taught(rgb)
    assert not asked
    taught(rgb, photo=True)
    assert asked == [(0, 0, 320, 240)]
