import numpy as np
import pytest

from scale import FACTORS, delta1_by_factor


class Wall:
    """Frames of a wall two metres away."""

    def __len__(self):
        return 2

    def load(self, index):
        return np.zeros((60, 80, 3), np.uint8), np.full((60, 80), 2, np.float32)


def test_a_model_that_is_too_near_gains_by_a_factor():
    *delta1, ratio = delta1_by_factor(lambda rgb: np.full((224, 224), 1.55, np.float32), Wall())
    assert ratio == pytest.approx(0.775)
    assert dict(zip(FACTORS, delta1))[1.0] == 0
    assert dict(zip(FACTORS, delta1))[1.045] == 1
