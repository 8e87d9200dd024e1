"""Rows whose advantage is 0 are not sent through the backward pass, and the gradient is the same."""

from types import SimpleNamespace

import pytest
import torch

from src.algorithm.spec import LossSpec
from src.distributed.ranks import Ranks
from src.distributed.spec import OptimiserSpec
from src.models.load import add_lora
from src.models.spec import LoraSpec
from src.rollout.engines.base import Rollout
from src.training.learner import Learner
from src.training.update import Updater
from tests.helpers import tiny

ADVANTAGE = torch.tensor([0.0, 1.0, 0.0, -0.7, 0.0, 0.3, 0.0, 0.0])
SILENT = {0, 2, 4, 6, 7}


def trajectories():
    generator = torch.Generator().manual_seed(0)
    lengths = [3, 5, 1, 0, 7, 4, 2, 6]
    return [
        SimpleNamespace(
            prompt=[3, 4 + n],
            rollout=Rollout(
                torch.randint(50, (length,), generator=generator).tolist(),
                -3.0 - torch.rand(length, generator=generator),
                False,
            ),
        )
        for n, length in enumerate(lengths)
    ]


class Counted(Learner):
    """Counts rows that are learned, and rows that are gone through alone."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.learned, self.looked_at = 0, 0

    def learn(self, batch, *rest):
        self.learned += int(batch.mask.any(-1).sum())
        return super().learn(batch, *rest)

    def logprobs(self, batch, *rest, **more):
        if not torch.is_grad_enabled():
            self.looked_at += int(batch.mask.any(-1).sum())
        return super().logprobs(batch, *rest, **more)


def updated(loss, advantage=ADVANTAGE, rank=0, all_learn=False, monkeypatch=None):
    """(loss, changes, gradients, learner) of one mini-batch of all rows."""
    torch.manual_seed(0)
    learner = Counted(add_lora(tiny.model(), LoraSpec(rank=rank, alpha=4)), OptimiserSpec(learning_rate=0.1), Ranks())
    updater = Updater(learner, loss, 0.9, 24, 0)
    if all_learn:
        monkeypatch.setattr(Updater, "_has_gradient", lambda self, value: True)
    rows = trajectories()
    batches = updater.microbatches(rows, range(8), advantage)
    old = updater.old_logprobs(batches)
    learner.looked_at = 0
    total, changes = updater.accumulate(batches, advantage, old, 28, 8)
    gradients = {name: p.grad.clone() for name, p in learner.policy.named_parameters() if p.grad is not None}
    return total, changes, gradients, learner


LOSSES = {
    "clipped": LossSpec(kl_coefficient=0.0),
    "capped": LossSpec(kl_coefficient=0.0, importance_cap=2.0, aggregation="sequence_mean"),
    "sequence": LossSpec(kl_coefficient=0.0, ratio="sequence", clip_low=0.01, clip_high=0.01),
    "cispo": LossSpec(kl_coefficient=0.0, surrogate="cispo", top_entropy=0.5),
    "sapo": LossSpec(kl_coefficient=0.0, surrogate="sapo", off_policy_threshold=0.1),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("rank", [0, 2])
def test_the_gradient_and_the_metrics_are_those_of_all_rows(monkeypatch, name, rank):
    total, changes, gradients, learner = updated(LOSSES[name], rank=rank)
    assert learner.learned == 2 and learner.looked_at >= len(SILENT)  # row 3 has no tokens
    known, same, expected, whole = updated(LOSSES[name], rank=rank, all_learn=True, monkeypatch=monkeypatch)
    assert whole.learned == 7
    assert total == pytest.approx(known, abs=1e-6) and gradients.keys() == expected.keys()
    for key, gradient in expected.items():
        torch.testing.assert_close(gradients[key], gradient, atol=1e-7, rtol=1e-5, msg=key)
    assert changes.keys() == same.keys()
    for index, change in same.items():
        for field, value in vars(change).items():
            assert getattr(changes[index], field) == pytest.approx(value, abs=1e-5), (index, field)


@pytest.mark.parametrize("loss", [LossSpec(kl_coefficient=0.01), LossSpec(kl_coefficient=0.0, entropy_coefficient=0.1)])
def test_where_something_else_has_a_gradient_every_row_is_learned(loss):
    *_, learner = updated(loss, rank=2)
    assert learner.learned == 7


def test_a_step_in_which_no_row_counts_has_a_gradient_of_zeros():
    """The optimiser goes on by its momentum, as it would have."""
    total, changes, gradients, learner = updated(LossSpec(kl_coefficient=0.0), torch.zeros(8))
    assert total == 0.0 and learner.learned == 0 and len(changes) == 8
    named = [name for name, p in learner.policy.named_parameters() if p.requires_grad]
    assert sorted(gradients) == sorted(named) and not any(gradient.any() for gradient in gradients.values())
    assert learner.update(0.1, total, "a test") == 0.0
