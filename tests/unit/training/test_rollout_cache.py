"""Rollouts that wait for their update: taken up when they are whole, sampled again when they are not."""

import pytest
import torch

from src.rollout.engines.base import Rollout
from src.training.rollout_cache import RolloutCache
from tests.helpers.damage import flip, halve

GROUPS = [
    [Rollout([3, 4, 5], torch.tensor([-0.1, -0.2, -0.3]), False), Rollout([6], torch.tensor([-1.5]), True)],
    [Rollout([7, 8], torch.tensor([-0.5, -0.25]), False)],
]


@pytest.fixture
def cache(tmp_path):
    kept = RolloutCache.of(tmp_path, 0, 1, 0)
    kept.save("id", 4, 0, GROUPS)
    return kept


def test_what_is_kept_is_taken_up(cache):
    groups = cache.load("id", 4, 0)
    assert [[row.tokens for row in group] for group in groups] == [[[3, 4, 5], [6]], [[7, 8]]]
    assert torch.equal(groups[0][0].logprobs, GROUPS[0][0].logprobs) and groups[0][1].truncated
    assert cache.load("id", 5, 0) is None and cache.load("other", 4, 0) is None


@pytest.mark.parametrize("place", [0.0, 0.2, 0.5, 0.8, 0.9, 0.97, 0.999])
def test_rollouts_with_a_flipped_bit_are_sampled_again(cache, place):
    flip(cache.path, place)
    assert cache.load("id", 4, 0) is None


@pytest.mark.parametrize("spoil", [halve, lambda path: path.write_bytes(b""), lambda path: path.unlink()])
def test_rollouts_that_are_torn_or_gone_are_sampled_again(cache, spoil):
    spoil(cache.path)
    assert cache.load("id", 4, 0) is None
