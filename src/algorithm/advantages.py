"""Group-relative advantages with language terms: one implementation, of which every variant is a setting.

The reward becomes a score (terms that act on the reward), the score is normalised within its group, and the result
becomes the advantage (terms that act on the advantage). docs/objectives.md lists the variants.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from src.algorithm.alignment import match, rarity
from src.algorithm.entropy import language_entropy
from src.algorithm.spec import AdvantageSpec, TermSpec

EPSILON = 1e-6


@dataclass(frozen=True)
class AdvantageResult:
    """All [N], in the order of the rollouts."""

    advantage: Tensor
    base_advantage: Tensor  # what it would be without the alignment term
    score: Tensor  # reward with the terms that act on it, before normalisation
    alignment_term: Tensor  # B g m, times its coefficient; 0 where the term does not act
    diversity_term: Tensor  # (n / n_lang - 1) d, times its coefficient; 0 where the term does not act
    factor: Tensor  # B g offered to each rollout, whether it matched or not
    group: Tensor  # int64, numbered by first appearance


def group_index(groups: Sequence[Hashable]) -> tuple[Tensor, int]:
    """Numbers [N] for group labels, by first appearance, and how many groups there are."""
    numbers: dict[Hashable, int] = {}
    index = torch.tensor([numbers.setdefault(group, len(numbers)) for group in groups], dtype=torch.long)
    return index, len(numbers)


def group_sum(values: Tensor, index: Tensor, count: int) -> Tensor:
    """Sum of `values` [N] over each group [count]."""
    return torch.zeros(count, dtype=values.dtype).index_add_(0, index, values)


def normalise(scores: Tensor, index: Tensor, count: int, normaliser: str) -> Tensor:
    """Scores [N] relative to their group, float64.

    `mean`: s - mean. `std`: (s - mean) / (std + 1e-6) with the unbiased standard deviation. `leave_one_out`: s - mean
    of the others. A group of one has mean 0 and std 1, so its score passes through (as in the published code).
    """
    size, mean, deviation = _moments(scores.double(), index, count)
    centred = scores.double() - mean[index]
    if normaliser == "mean":
        return centred
    if normaliser == "leave_one_out":
        return centred * (size / (size - 1).clamp(min=1))[index]
    return centred / (deviation[index] + EPSILON)


def _moments(scores: Tensor, index: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Size, mean and unbiased standard deviation of each group [count]; 1, 0, 1 for a group of one."""
    size = group_sum(torch.ones_like(scores), index, count)
    alone = size <= 1
    mean = torch.where(alone, 0.0, group_sum(scores, index, count) / size.clamp(min=1))
    squares = group_sum((scores - mean[index]) ** 2, index, count)
    return size, mean, torch.where(alone, 1.0, (squares / (size - 1).clamp(min=1)).sqrt())


def normalise_within(scores: Tensor, index: Tensor, reasoning: Sequence[str | None], normaliser: str) -> Tensor:
    """Scores [N] relative to the rollouts of their group in the same language; one alone is normalised with the mean
    and deviation of its whole group. float64."""
    count = int(index.max()) + 1
    inner, parts = group_index(list(zip(index.tolist(), reasoning, strict=True)))
    size = group_sum(torch.ones_like(scores), inner, parts)[inner]
    whole, part = normalise(scores, index, count, normaliser), normalise(scores, inner, parts, normaliser)
    return torch.where(size == 1, whole, part)


def advantages(
    spec: AdvantageSpec,
    rewards: Sequence[float | None],
    reasoning: Sequence[str | None],
    query: Sequence[str],
    groups: Sequence[Hashable],
    factor: Tensor | float,
    exploration: Tensor | float,
    right: Sequence[bool] | None = None,
) -> AdvantageResult:
    """Advantages of N rollouts, float32.

    Args:
        rewards: r; None (does not apply) leaves the rollout out: its advantage is 0.
        reasoning, query: language codes; None where the reasoning's is unknown.
        groups: which rollouts answer the same prompt.
        factor: B g, one number or [N].
        exploration: d, one number or [N]; not asked where `spec.diversity.by` is `entropy`.
        right: whether each answer is right, [N]; by default where the reward is above 0.
    """
    index, count = group_index(groups)
    applies = torch.tensor([reward is not None for reward in rewards], dtype=torch.bool)
    reward = torch.tensor([0.0 if value is None else float(value) for value in rewards], dtype=torch.float64)
    correct = reward > 0 if right is None else torch.tensor(list(right), dtype=torch.bool)
    offered = torch.as_tensor(factor, dtype=torch.float64).expand_as(reward)
    inside, inside_count = group_index(
        [group for group, counts in zip(groups, applies.tolist(), strict=True) if counts]
    )
    spoken = [language for language, counts in zip(reasoning, applies.tolist(), strict=True) if counts]

    def relative(values: Tensor, within: str) -> Tensor:
        """Normalised among the rollouts whose reward applies; 0 for the others."""
        result, own = torch.zeros_like(values), values[applies]
        if within == "language" and len(own):
            result[applies] = normalise_within(own, inside, spoken, spec.normaliser)
        else:
            result[applies] = normalise(own, inside, inside_count, spec.normaliser)
        return result

    def term(settings: TermSpec, x: Tensor, weight: Tensor) -> tuple[TermSpec, Tensor, Tensor]:
        where = acts_on(settings.rollouts, correct, applies, index, count)
        amount = relative(x * where, "prompt") if settings.normalise else x * where
        return settings, amount * weight * settings.coefficient, where

    rare = rarity(reasoning, groups).double()
    if spec.diversity.relative:
        size = group_sum(torch.ones_like(rare), index, count)[index]
        rare = rare / (size - 1).clamp(min=1)
    decay = torch.as_tensor(exploration, dtype=torch.float64).expand_as(rare)
    if spec.diversity.by == "entropy":
        entropy = language_entropy(reasoning, groups)
        decay = torch.tensor([1.0 - entropy[group] for group in groups], dtype=torch.float64)
    diversity = term(spec.diversity, rare, decay)
    alignment = term(spec.alignment, match(reasoning, query).double(), offered)

    def weighed(*terms: tuple[TermSpec, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        score = reward
        for settings, amount, where in terms:
            if settings.at == "reward":
                score = apply_term(settings.form, score, amount, where)
        advantage = relative(score, spec.within)
        for settings, amount, where in terms:
            if settings.at == "advantage":
                advantage = apply_term(settings.form, advantage, amount, where)
        return score, torch.where(applies, advantage, 0.0)

    score, advantage = weighed(diversity, alignment)
    _, base = weighed(diversity)
    nothing = torch.zeros_like(reward)
    return AdvantageResult(
        advantage=advantage.float(),
        base_advantage=base.float(),
        score=score.float(),
        alignment_term=(nothing if spec.alignment.form == "none" else alignment[1]).float(),
        diversity_term=(nothing if spec.diversity.form == "none" else diversity[1]).float(),
        factor=(nothing if spec.alignment.form == "none" else offered).float(),
        group=index,
    )


def acts_on(which: str, correct: Tensor, applies: Tensor, index: Tensor, count: int) -> Tensor:
    """1.0 [N] on the rollouts a term acts on: `all`, the `right` ones (`correct` [N], bool), or those of
    `all_right_groups`."""
    right = (correct & applies).double()
    if which == "right":
        return right
    if which == "all_right_groups":
        wrong = group_sum(applies.double() - right, index, count)
        return (wrong == 0).double()[index]
    return torch.ones_like(right)


def apply_term(form: str, value: Tensor, amount: Tensor, where: Tensor) -> Tensor:
    """`value` [N] times 1 + amount, plus amount, or replaced by amount where the term acts."""
    if form == "multiply":
        return value * (1.0 + amount)
    if form == "add":
        return value + amount
    if form == "replace":
        return torch.where(where > 0, amount, value)
    return value
