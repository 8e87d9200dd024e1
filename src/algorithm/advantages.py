"""Group-relative advantages with language terms: one implementation, of which every variant is a setting.

The reward r becomes a score (terms that act on the reward), the score is normalised within its group (GRPO, Shao et al.
2024), and the result becomes the advantage A (terms that act on the advantage). There are two terms: for alignment
coefficient x factor x match, for diversity coefficient x decay x rarity. docs/objectives.md lists the variants.

Assumes that the rollouts of a group answer one prompt under one policy. A group whose scores are all equal carries no
signal: its advantages are 0, but for what a term adds to the advantage itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from src.algorithm.alignment import match, rarity
from src.algorithm.entropy import language_entropy
from src.algorithm.spec import AdvantageSpec, DiversitySpec, TermSpec

EPSILON = 1e-6


@dataclass(frozen=True)
class AdvantageResult:
    """All [N], in the order of the rollouts."""

    advantage: Tensor
    base_advantage: Tensor  # what it would be without the alignment term
    score: Tensor  # reward with the terms that act on it, before normalisation
    alignment_term: Tensor  # B g m, times its coefficient; 0 where the term does not act
    diversity_term: Tensor  # (n / n_lang - 1) d, times its coefficient; 0 where the term does not act
    factor: Tensor  # B g of each rollout, whether it matched or not
    group: Tensor  # int64, numbered by first appearance


def group_index(groups: Sequence[Hashable]) -> tuple[Tensor, int]:
    """Numbers [N] for group labels, by first appearance, and how many groups there are."""
    numbers: dict[Hashable, int] = {}
    index = torch.tensor([numbers.setdefault(group, len(numbers)) for group in groups], dtype=torch.long)
    return index, len(numbers)


def group_sum(values: Tensor, index: Tensor, count: int) -> Tensor:
    """Sum of `values` [N] over each group [count]."""
    return torch.zeros(count, dtype=values.dtype).index_add_(0, index, values)


def normalise(scores: Tensor, index: Tensor, count: int, normaliser: str, tokens: Tensor | None = None) -> Tensor:
    """Scores [N] relative to their group, float64. A group of equal scores becomes 0 and carries no signal.

    But a group of one has mean 0 and std 1, so its score passes through (as in the published code).

    Args:
        scores: s, [N].
        index: the group of each, [N] int64 below `count`.
        normaliser: `std` (GRPO): (s - mean) / (std + 1e-6) with the unbiased standard deviation. In a group of two
            levels of score the deviation grows with their distance, so that the size of a bonus cancels. `mean`
            (Dr. GRPO, Liu et al. 2025): s - mean, so that groups whose scores spread more weigh more. `leave_one_out`
            (RLOO, Ahmadian et al. 2024): s - mean of the others, n / (n - 1) times `mean`. `batch_std`: s - mean, over
            the standard deviation of all N + 1e-6 (TRL's `scale_rewards="batch"`), so that groups keep their weights
            and the step its size. `length_mean` (OPO, Hao et al. 2025): s - sum of tokens x s / sum of tokens, the baseline
            of least variance where a gradient grows with the length. `none`: s.
        tokens: of each rollout, [N], for `length_mean`; by default all are as long.
    """
    if normaliser == "none":
        return scores.double()
    if normaliser == "length_mean" and tokens is not None:
        return scores.double() - _weighted_mean(scores.double(), tokens.double(), index, count)[index]
    size, mean, deviation = _moments(scores.double(), index, count)
    centred = scores.double() - mean[index]  # (N,)
    if normaliser in ("mean", "length_mean"):
        return centred
    if normaliser == "batch_std":
        return centred / ((scores.double().std() if len(scores) > 1 else 1.0) + EPSILON)
    if normaliser == "leave_one_out":
        return centred * (size / (size - 1).clamp(min=1))[index]
    return centred / (deviation[index] + EPSILON)


def _weighted_mean(scores: Tensor, tokens: Tensor, index: Tensor, count: int) -> Tensor:
    """Mean of each group [count] weighted by tokens, plain where none has any; 0 for a group of one."""
    size = group_sum(torch.ones_like(scores), index, count)
    silent = group_sum(tokens, index, count) == 0
    weight = torch.where(silent[index], 1.0, tokens)
    mean = group_sum(weight * scores, index, count) / group_sum(weight, index, count)
    return torch.where(size <= 1, 0.0, mean)


def whiten(values: Tensor, tokens: Tensor) -> Tensor:
    """(x - mean) / (std + 1e-6) [N], every rollout counting once for each of its `tokens` [N] (REINFORCE++, Hu et al. 2025,
    with one reward a rollout); the standard deviation is the unbiased one. Float64."""
    weight = tokens.double()
    total = weight.sum()
    if total <= 1:
        return torch.zeros_like(values)
    mean = (weight * values).sum() / total
    variance = (weight * (values - mean) ** 2).sum() / (total - 1)
    return (values - mean) / (variance.sqrt() + EPSILON)


def _moments(scores: Tensor, index: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Size, mean and unbiased standard deviation of each group [count]; 1, 0, 1 for a group of one."""
    size = group_sum(torch.ones_like(scores), index, count)
    single = size <= 1
    mean = torch.where(single, 0.0, group_sum(scores, index, count) / size.clamp(min=1))
    squares = group_sum((scores - mean[index]) ** 2, index, count)
    return size, mean, torch.where(single, 1.0, (squares / (size - 1).clamp(min=1)).sqrt())


def normalise_within(
    scores: Tensor,
    index: Tensor,
    reasoning: Sequence[str | None],
    normaliser: str,
    tokens: Tensor | None = None,
) -> Tensor:
    """Scores [N] relative to the rollouts of their group in the same language; one alone is normalised with the mean
    and deviation of its whole group. float64.

    Languages of a group are not compared with each other: where all rollouts in a language are right, being right in it
    carries no signal.
    """
    count = int(index.max()) + 1
    stratum, strata = group_index(list(zip(index.tolist(), reasoning, strict=True)))
    size = group_sum(torch.ones_like(scores), stratum, strata)[stratum]  # (N,)
    by_group = normalise(scores, index, count, normaliser, tokens)
    by_language = normalise(scores, stratum, strata, normaliser, tokens)
    return torch.where(size == 1, by_group, by_language)


@dataclass(frozen=True)
class _Compared:
    """The M of N rollouts whose reward applies, which alone are compared with each other."""

    applies: Tensor  # (N,) bool
    index: Tensor  # (M,) int64, their groups, numbered by first appearance among them
    count: int  # of groups
    reasoning: list[str | None]  # M
    tokens: Tensor  # (M,) int64

    @staticmethod
    def of(applies: Tensor, reasoning: Sequence[str | None], groups: Sequence[Hashable], tokens: Tensor) -> _Compared:
        flags = applies.tolist()
        index, count = group_index([group for group, flag in zip(groups, flags, strict=True) if flag])
        languages = [code for code, flag in zip(reasoning, flags, strict=True) if flag]
        return _Compared(applies, index, count, languages, tokens[applies])

    def relative(self, values: Tensor, within: str, normaliser: str, whitened: bool = False) -> Tensor:
        """`values` [N] normalised, and then `whitened` or not, among those whose reward applies; 0 for the others."""
        compared = values[self.applies]  # (M,)
        if within == "language" and len(compared):
            normalised = normalise_within(compared, self.index, self.reasoning, normaliser, self.tokens)
        else:
            normalised = normalise(compared, self.index, self.count, normaliser, self.tokens)
        if whitened:
            normalised = whiten(normalised, self.tokens)
        result = torch.zeros_like(values)
        result[self.applies] = normalised
        return result


@dataclass(frozen=True)
class _Term:
    """A language term of N rollouts."""

    settings: TermSpec
    value: Tensor  # (N,) coefficient x factor x match, or coefficient x decay x rarity
    acts: Tensor  # (N,) 1.0 on the rollouts it acts on


def advantages(
    spec: AdvantageSpec,
    rewards: Sequence[float | None],
    reasoning: Sequence[str | None],
    query: Sequence[str],
    groups: Sequence[Hashable],
    factor: Tensor | float,
    exploration: Tensor | float,
    right: Sequence[bool] | None = None,
    tokens: Sequence[int] | None = None,
    normalised: Tensor | None = None,
) -> AdvantageResult:
    """Advantages of N rollouts, float32.

    Args:
        rewards: r; None (does not apply) leaves the rollout out: its advantage is 0.
        reasoning, query: language codes; None where the reasoning's is unknown.
        groups: which rollouts answer the same prompt.
        factor: B g, one number or [N].
        exploration: d, one number or [N]; not asked where `spec.diversity.by` is `entropy`.
        right: whether each answer is right, [N]; by default where the reward is above 0.
        tokens: how many each has, [N], for what is weighted by length; by default all are as long.
        normalised: what the score is once normalised, [N], where that is made of its parts (`src.algorithm.gdpo`).
    """
    index, count = group_index(groups)
    applies = torch.tensor([reward is not None for reward in rewards], dtype=torch.bool)  # (N,)
    reward = torch.tensor([0.0 if r is None else float(r) for r in rewards], dtype=torch.float64)  # (N,)
    correct = reward > 0 if right is None else torch.tensor(list(right), dtype=torch.bool)  # (N,)
    factor = torch.as_tensor(factor, dtype=torch.float64).expand_as(reward)  # (N,)
    decay = diversity_decay(spec.diversity, exploration, reasoning, groups)  # (N,)
    lengths = torch.tensor([1] * len(rewards) if tokens is None else list(tokens), dtype=torch.long)  # (N,)
    compared = _Compared.of(applies, reasoning, groups, lengths)

    # 1. The terms, on the rollouts they act on.
    acts = acts_on(spec.diversity.rollouts, correct, applies, index, count)
    rare = rarity_of(spec.diversity, reasoning, groups)
    diversity = _term(spec.diversity, decay, rare, acts, compared, spec.normaliser)
    acts = acts_on(spec.alignment.rollouts, correct, applies, index, count)
    alignment = _term(spec.alignment, factor, match(reasoning, query).double(), acts, compared, spec.normaliser)

    # 2. From reward to score to advantage, with the alignment term and without it.
    score, advantage = _score_and_advantage(spec, reward, (diversity, alignment), compared, normalised)
    _, base = _score_and_advantage(spec, reward, (diversity,), compared, normalised)

    zero = torch.zeros_like(reward)
    aligns = spec.alignment.form != "none"
    diversifies = spec.diversity.form != "none"
    return AdvantageResult(
        advantage=advantage.float(),
        base_advantage=base.float(),
        score=score.float(),
        alignment_term=(alignment.value if aligns else zero).float(),
        diversity_term=(diversity.value if diversifies else zero).float(),
        factor=(factor if aligns else zero).float(),
        group=index,
    )


def rarity_of(spec: DiversitySpec, reasoning: Sequence[str | None], groups: Sequence[Hashable]) -> Tensor:
    """n / n_lang - 1 [N] float64; divided by n - 1 where `spec.relative`, so that it lies in [0, 1]."""
    rare = rarity(reasoning, groups).double()
    if not spec.relative:
        return rare
    index, count = group_index(groups)
    size = group_sum(torch.ones_like(rare), index, count)[index]
    return rare / (size - 1).clamp(min=1)


def diversity_decay(
    spec: DiversitySpec, exploration: Tensor | float, reasoning: Sequence[str | None], groups: Sequence[Hashable]
) -> Tensor:
    """d [N] float64: `exploration`, or 1 - H / ln n of the rollout's group where `spec.by` is `entropy`."""
    if spec.by == "entropy":
        entropy = language_entropy(reasoning, groups)
        return torch.tensor([1.0 - entropy[group] for group in groups], dtype=torch.float64)
    return torch.as_tensor(exploration, dtype=torch.float64).expand(len(groups))


def _term(settings: TermSpec, factor: Tensor, x: Tensor, acts: Tensor, compared: _Compared, normaliser: str) -> _Term:
    """coefficient x factor x `x`, all [N], where the term acts; `x` is the match or the rarity, normalised within its
    prompt first if the settings say so (GDPO)."""
    x = x * acts
    if settings.normalise:
        x = compared.relative(x, "prompt", normaliser)
    return _Term(settings, settings.coefficient * (factor * x), acts)


def _score_and_advantage(
    spec: AdvantageSpec, reward: Tensor, terms: Sequence[_Term], compared: _Compared, normalised: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The score s and the advantage A, [N] float64 each."""
    score = _apply_terms("reward", reward, terms)
    advantage = normalised
    if advantage is None:
        advantage = compared.relative(score, spec.within, spec.normaliser, spec.whiten)
    advantage = _apply_terms("advantage", advantage, terms)
    return score, torch.where(compared.applies, advantage, 0.0)


def _apply_terms(at: str, value: Tensor, terms: Sequence[_Term]) -> Tensor:
    """`value` [N] with those terms that act `at` the reward or the advantage, in order."""
    for term in terms:
        if term.settings.at == at:
            value = apply_term(term.settings.form, value, term.value, term.acts)
    return value


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


def apply_term(form: str, value: Tensor, term: Tensor, acts: Tensor) -> Tensor:
    """`value` [N] times 1 + term, plus term, or replaced by the term where it acts."""
    if form == "multiply":
        return value * (1.0 + term)
    if form == "add":
        return value + term
    if form == "replace":
        return torch.where(acts > 0, term, value)
    return value
