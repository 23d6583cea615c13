import numpy as np
import pytest

from edges import canny, edge_f_score, scaled, within
from metrics import frame_metrics, mean_metrics


def step(column, near=1.0, far=3.0, size=64):
    depth = np.full((size, size), near)
    depth[:, column:] = far
    return depth


def test_an_edge_is_one_pixel_wide_where_depth_steps():
    edges = canny(scaled(step(30)))
    rows, columns = np.nonzero(edges)
    assert set(columns) <= {29, 30}
    assert len(set(rows)) == len(rows) == 64


def test_a_slope_is_no_edge():
    assert not canny(np.tile(np.linspace(0, 1, 64), (64, 1))).any()


def test_f_score_allows_for_two_pixels_and_any_scale():
    truth = step(30)
    assert edge_f_score(truth, truth) == 1
    assert edge_f_score(5 * step(32), truth) == 1
    assert edge_f_score(step(40), truth) == 0
    assert edge_f_score(np.ones((64, 64)), truth) == 0
    assert edge_f_score(truth, np.ones((64, 64))) is None


def test_f_score_is_the_harmonic_mean():
    truth = step(30)
    half = step(30)
    half[32:] = 1  # the lower half of the edge is missing, and there is a new one across
    found = canny(scaled(half))
    precision = within(canny(scaled(truth)), 2)[found].mean()
    recall = within(found, 2)[canny(scaled(truth))].mean()
    assert 0 < precision < 1
    assert 0 < recall < 1
    assert edge_f_score(half, truth) == pytest.approx(2 * precision * recall / (precision + recall))


def test_edges_are_scored_only_where_truth_is_dense():
    truth = step(30)
    dense = frame_metrics(truth, truth)
    truth[0, :10] = 0
    holes = frame_metrics(step(30), truth)
    assert dense['edgeF'] == 1
    assert holes['edgeF'] is None
    assert mean_metrics([dense, holes])['edgeF'] == 1
    assert 'edgeF' not in mean_metrics([holes])
