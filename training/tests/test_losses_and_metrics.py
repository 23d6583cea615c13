import numpy as np
import pytest
import torch

from losses import LOSSES, berhu_loss, depth_loss
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
    assert mean_metrics([found, found]) == pytest.approx(found)
