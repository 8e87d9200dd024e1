"""Layer 0 where float32 would give noise or NaN."""

import pytest
import torch

from src.algorithm.advantages import normalise
from src.algorithm.kl import kl_penalty


@pytest.mark.parametrize("size", [3, 5, 6, 8, 16])
@pytest.mark.parametrize("score", [1.1, 1.2, 1.3, 1.7, 2.3, 2.8])
def test_equal_scores_teach_nothing(score, size):
    # In float32 the mean of eight 2.8 is a unit in the last place off; the deviation is then as small, and all eight
    # would get an advantage of 0.19.
    result = normalise(torch.full((size,), score), torch.zeros(size, dtype=torch.long), 1, "std")
    assert result.abs().max() < 1e-6


@pytest.mark.parametrize("difference", [-1000.0, -89.0, -20.0, 20.0, 1000.0])
def test_k3_far_from_the_reference_is_clamped_and_has_no_gradient(difference):
    new = torch.tensor([difference], requires_grad=True)
    penalty = kl_penalty(new, torch.zeros(1), "k3", clamp=10.0)
    penalty.sum().backward()
    assert penalty.item() == 10.0 and new.grad.item() == 0.0


def test_k3_near_the_reference_pulls_towards_it():
    # d = -1: the value is e - 1 - 1 and its slope 1 - e.
    new = torch.tensor([-1.0], requires_grad=True)
    penalty = kl_penalty(new, torch.zeros(1), "k3", clamp=10.0)
    penalty.sum().backward()
    assert penalty.item() == pytest.approx(0.71828, abs=1e-5) and new.grad.item() == pytest.approx(-1.71828, abs=1e-5)
