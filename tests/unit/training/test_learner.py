"""An update that cannot be made leaves the weights as they were."""

import pytest
import torch

from src.training.learner import NotFinite
from tests.helpers.tiny import trained


def test_a_loss_that_is_not_finite_changes_nothing():
    learner = trained(1)
    before = learner.policy.weight.clone()
    for bad in (float("nan"), float("inf")):
        learner.policy(torch.ones(1, 3)).sum().backward()
        with pytest.raises(NotFinite, match="grpo step 3.*weights were not changed"):
            learner.update(0.1, bad, "grpo step 3")
    assert torch.equal(learner.policy.weight, before)
