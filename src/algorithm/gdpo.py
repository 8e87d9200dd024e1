"""GDPO (2601.05242): each reward is normalised by itself within its group, then they are weighted, summed and whitened."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from src.algorithm.advantages import group_index, group_sum


def gdpo(
    rewards: Sequence[Sequence[float | None]],
    weights: Sequence[float],
    groups: Sequence[Hashable],
    epsilon: float,
) -> tuple[Tensor, Tensor]:
    """(weighted sum, advantage) of N rollouts of a step, of all ranks, [N] float64 each.

    A_k = (r_k - mean) / (std + epsilon) over those of the group to which reward k applies, A = sum of w_k A_k, and
    (A - mean) / (std + epsilon) over those of the step to which any applies; standard deviations are unbiased. Where a
    reward does not apply, or one rollout of a group alone has it, it adds 0; a rollout to which none applies has
    advantage 0 and is not counted.

    Args:
        rewards: of each reward the values of all rollouts, [K][N]; None: it does not apply.
        weights: w, [K].
        groups: which rollouts answer the same prompt, [N].
    """
    index, count = group_index(groups)
    total = torch.zeros(len(groups), dtype=torch.float64)  # (N,)
    any_applies = torch.zeros(len(groups), dtype=torch.bool)  # (N,)
    for values, weight in zip(rewards, weights, strict=True):
        reward = torch.tensor([math.nan if value is None else value for value in values], dtype=torch.float64)
        applies = ~reward.isnan()
        any_applies |= applies
        total[applies] += weight * _relative(reward[applies], index[applies], count, epsilon)
    whole = torch.zeros(int(any_applies.sum()), dtype=torch.long)
    advantage = torch.zeros_like(total)
    advantage[any_applies] = _relative(total[any_applies], whole, 1, epsilon)
    return total, advantage


def _relative(values: Tensor, index: Tensor, count: int, epsilon: float) -> Tensor:
    """(x - mean) / (std + epsilon) within each group, [M] float64; 0 in a group of one or of equal values."""
    size = group_sum(torch.ones_like(values), index, count)
    mean = group_sum(values, index, count) / size.clamp(min=1)
    centred = values - mean[index]
    deviation = (group_sum(centred**2, index, count) / (size - 1).clamp(min=1)).sqrt()
    return centred / (deviation[index] + epsilon)
