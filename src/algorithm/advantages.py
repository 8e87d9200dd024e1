"""Group-relative advantages, with the language weights acting on the reward before normalisation."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from src.algorithm.alignment import alignment_weight, diversity_weight, match
from src.algorithm.spec import AdvantageSpec

EPSILON = 1e-6


@dataclass(frozen=True)
class AdvantageResult:
    """All [N], in the order of the rollouts."""

    advantage: Tensor
    base_advantage: Tensor  # what it would be without the alignment weight
    score: Tensor  # weighted reward, before normalisation
    alignment_weight: Tensor
    diversity_weight: Tensor
    factor: Tensor  # B g(t) offered to each rollout, whether it matched or not
    group: Tensor  # int64, numbered by first appearance


def group_index(groups: Sequence[Hashable]) -> tuple[Tensor, int]:
    """Numbers [N] for group labels, by first appearance, and how many groups there are."""
    numbers: dict[Hashable, int] = {}
    index = torch.tensor([numbers.setdefault(group, len(numbers)) for group in groups], dtype=torch.long)
    return index, len(numbers)


def normalise(scores: Tensor, index: Tensor, count: int, normaliser: str) -> Tensor:
    """Scores [N] relative to their group.

    `mean`: s - mean. `std`: (s - mean) / (std + 1e-6) with the unbiased standard deviation. A group of one has
    mean 0 and std 1, so its score passes through (as in the published code).
    """
    scores = scores.double()
    size = torch.zeros(count, dtype=torch.float64).index_add_(0, index, torch.ones_like(scores))
    alone = size == 1
    mean = torch.zeros(count, dtype=torch.float64).index_add_(0, index, scores) / size
    mean = torch.where(alone, 0.0, mean)
    centred = scores - mean[index]
    if normaliser == "mean":
        return centred.float()
    variance = torch.zeros(count, dtype=torch.float64).index_add_(0, index, centred**2) / (size - 1).clamp(min=1)
    deviation = torch.where(alone, 1.0, variance.sqrt())
    return (centred / (deviation[index] + EPSILON)).float()


def advantages(
    spec: AdvantageSpec,
    rewards: Sequence[float | None],
    reasoning: Sequence[str | None],
    query: Sequence[str],
    groups: Sequence[Hashable],
    factor: Tensor | float,
    decay: float,
) -> AdvantageResult:
    """A = N(r a q) for N rollouts (AdaMame, equations of stage 2); a and q are 1 where the spec leaves them out.

    Args:
        rewards: r; None (does not apply) leaves the rollout out: its advantage is 0.
        reasoning, query: language codes; None where the reasoning's is unknown.
        groups: which rollouts answer the same prompt.
        factor: B g(t), one number or [N].
        decay: d(t).
    """
    index, count = group_index(groups)
    applies = torch.tensor([reward is not None for reward in rewards])
    reward = torch.tensor([0.0 if value is None else float(value) for value in rewards])
    ones = torch.ones_like(reward)
    offered = torch.as_tensor(factor, dtype=torch.float32).expand_as(reward)
    diversity = diversity_weight(reasoning, groups, decay) if spec.diversity else ones
    alignment = alignment_weight(match(reasoning, query), offered) if spec.alignment else ones

    def relative(scores: Tensor) -> Tensor:
        result = torch.zeros_like(scores)
        result[applies] = normalise(scores[applies], index[applies], count, spec.normaliser)
        return result

    score = reward * diversity * alignment
    return AdvantageResult(
        advantage=relative(score),
        base_advantage=relative(reward * diversity),
        score=score,
        alignment_weight=alignment,
        diversity_weight=diversity,
        factor=offered if spec.alignment else torch.zeros_like(reward),
        group=index,
    )
