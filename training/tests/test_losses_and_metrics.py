import numpy as np
import pytest
import torch

from losses import LOSSES, berhu_loss, depth_loss, recipe_loss, structure_loss
from metrics import frame_metrics, mean_metrics


@pytest.mark.parametrize('loss', LOSSES.values())
def test_no_loss_where_right_or_unknown(loss):
    wanted = torch.rand(2, 1, 8, 8) + 1
    assert loss(wanted, wanted) == 0
    predicted = wanted.clone().requires_grad_()
    loss(predicted * 2, torch.zeros_like(wanted)).backward()
    assert predicted.grad.abs().sum() == 0


def test_depth_loss_of_a_factor_is_its_logarithm():
    wanted = torch.full((1, 1, 8, 8), 2.0)
    assert depth_loss(3 * wanted, wanted, metric=0).item() == pytest.approx(np.log(3))


def test_berhu_is_linear_then_square():
    wanted = torch.full((1, 1, 1, 2), 1.0)
    predicted = torch.tensor([[[[1.1, 2.0]]]])
    knee = 0.2
    assert berhu_loss(predicted, wanted).item() == pytest.approx((0.1 + (1 + knee**2) / (2 * knee)) / 2)


def test_metrics_of_known_errors():
    truth = np.array([[2.0, 2.0], [4.0, 0.0]])
    found = frame_metrics(np.array([[2.0, 3.0], [2.0, 9.0]]), truth)
    assert found['delta1'] == pytest.approx(1 / 3)
    assert found['delta2'] == pytest.approx(2 / 3)
    assert found['delta3'] == pytest.approx(2 / 3)
    assert found['rmse'] == pytest.approx(np.sqrt(5 / 3))
    assert found['mae'] == pytest.approx(1)
    assert found['absRel'] == pytest.approx(1 / 3)
    assert found['ratio'] == pytest.approx((1 + 1.5 + 0.5) / 3)
    assert found['edgeF'] is None
    assert mean_metrics([found, found]) == pytest.approx({k: v for k, v in found.items() if v is not None})


def test_scaling_to_the_median_leaves_structure():
    truth = np.array([[1.0, 2.0, 4.0]])
    found = frame_metrics(1.5 * truth, truth)
    assert found['delta1'] == 0
    assert found['delta1Scaled'] == 1
    assert found['ratio'] == pytest.approx(1.5)


def test_structure_loss_of_a_factor():
    wanted = torch.rand(2, 1, 16, 16) + 1
    loss = structure_loss(2 * wanted, wanted, metric=torch.tensor([1.0, 0.25]))
    torch.testing.assert_close(loss, torch.tensor([1.0, 0.25]) * np.log(2), rtol=0, atol=3e-3)


def test_trimmed_pixels_cost_nothing_in_metres():
    wanted = torch.full((1, 1, 10, 10), 2.0)
    predicted = wanted.clone()
    predicted[..., 0] = 4  # a tenth of the pixels
    only = {'invariant': 0, 'gradient': 0}
    assert structure_loss(predicted, wanted, trim=0.1, **only) == 0
    assert structure_loss(predicted, wanted, **only).item() == pytest.approx(0.1 * np.log(2))


def test_recipe_weighs_truth_twice_and_ignores_what_is_unknown():
    teacher = torch.full((1, 1, 16, 16), 2.0)
    unknown = torch.zeros_like(teacher)
    one = torch.ones(1)
    alone = recipe_loss(4 * teacher, teacher, unknown, one)
    assert alone.item() == pytest.approx(np.log(4), abs=2e-3)
    both = recipe_loss(teacher, teacher, 2 * teacher, one)
    assert both.item() == pytest.approx(2 / 3 * np.log(2), abs=2e-3)
    predicted = (2 * teacher).requires_grad_()
    recipe_loss(predicted, teacher, unknown, one).backward()
    assert predicted.grad.isfinite().all()
