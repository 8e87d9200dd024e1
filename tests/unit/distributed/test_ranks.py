"""Ranks: shares, a lost neighbour, and learning rates."""

import pytest
import torch

from src.distributed.ranks import Ranks, RanksLost
from src.distributed.spec import OptimiserSpec


def test_learning_rates_by_hand():
    spec = OptimiserSpec(learning_rate=1.0, warmup=0.2, decay="cosine")
    assert [round(spec.rate(u, 10), 4) for u in (0, 1, 2, 6, 9)] == [0.5, 1.0, 1.0, 0.5, 0.0381]
    assert OptimiserSpec(learning_rate=0.3).rate(7, 10) == 0.3


def test_share_and_gather_are_inverse_on_one_rank():
    assert Ranks(1, 3).shard([0, 1, 2, 3, 4, 5, 6]) == [1, 4]
    assert Ranks().gather(Ranks().shard([3, 1, 2])) == [3, 1, 2]


def test_a_rank_that_is_left_alone_says_who_it_waits_for(monkeypatch):
    def lost(*_, **__):
        raise RuntimeError("Timed out waiting 5000ms for recv operation to complete\nmore")

    for name in ("all_gather_object", "all_reduce", "barrier"):
        monkeypatch.setattr(torch.distributed, name, lost)
    ranks, weight = Ranks(1, 4), torch.nn.Parameter(torch.ones(2))
    for wait, purpose in (
        (lambda: ranks.gather([1]), "gather"),
        (lambda: ranks.sum([1.0]), "numbers"),
        (lambda: ranks.sum_gradients([weight]), "gradients"),
        (ranks.barrier, "end a stage"),
    ):
        with pytest.raises(RanksLost, match=rf"rank 1 of 4 has waited 0 s .* {purpose}.*5000ms for recv.*goes on"):
            wait()
