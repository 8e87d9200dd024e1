"""Credit assignment: rewards, language terms and advantages of the trajectories of a step."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from src.algorithm.advantages import AdvantageResult, advantages
from src.algorithm.gdpo import gdpo
from src.algorithm.schedules.base import Controller, Observed
from src.algorithm.spec import AdvantageSpec
from src.rewards.base import Reward, Sample, Scores, score


@dataclass(frozen=True)
class Credit:
    """What each trajectory earned, [N] each, and the controller that has seen them."""

    scores: Scores
    result: AdvantageResult
    controller: Controller


def assign_credit(
    reward: Reward,
    spec: AdvantageSpec,
    controller: Controller,
    samples: Sequence[Sample],
    progress: float,
    greedy: Sequence[Sample | None] = (),
) -> Credit:
    """Rewards and advantages of all samples of a step so far; `progress` is t / T, `greedy` the greedy completion of the
    prompt of each, for the normaliser `greedy`.

    What counts as right is the grader's verdict, whatever the reward pays. The controller observes the samples in a copy,
    so that a step of several sampling rounds is observed once, as a whole.
    """
    controller = copy.deepcopy(controller)
    scores = score(reward, [replace(sample, progress=progress) for sample in samples])
    rewards, normalised = scores.total, None
    if spec.normaliser == "gdpo":
        rewards, normalised = _apart(scores, samples, spec.epsilon)
    if spec.normaliser == "greedy":
        rewards, normalised = _above_greedy(reward, scores.total, greedy, progress)
    seen = Observed(
        rewards=rewards,
        reasoning=[sample.fidelity.detected for sample in samples],
        query=[sample.query_language for sample in samples],
        groups=[sample.group for sample in samples],
        right=[sample.correct for sample in samples],
    )
    controller.observe(seen)
    result = advantages(
        spec,
        rewards=seen.rewards,
        reasoning=seen.reasoning,
        query=seen.query,
        groups=seen.groups,
        factor=torch.tensor([controller.factor(progress, code) for code in seen.query], dtype=torch.float64),
        exploration=torch.tensor([controller.exploration(progress, code) for code in seen.query], dtype=torch.float64),
        right=seen.right,
        tokens=[len(sample.tokens) for sample in samples],
        normalised=normalised,
    )
    return Credit(scores, result, controller)


def _above_greedy(
    reward: Reward, rewards: Sequence[float | None], greedy: Sequence[Sample | None], progress: float
) -> tuple[list[float | None], torch.Tensor]:
    """Rewards [N], None too where there is none to compare with, and how far each is above that of the greedy completion
    of its prompt (ReMax, Li et al. 2023)."""
    prompts = {sample.group: replace(sample, progress=progress) for sample in greedy if sample is not None}
    baseline = dict(zip(prompts, score(reward, list(prompts.values())).total, strict=True))
    known: list[float | None] = []
    above: list[float] = []
    for value, sample in zip(rewards, greedy, strict=True):
        base = None if sample is None else baseline[sample.group]
        known.append(None if base is None else value)
        above.append(0.0 if value is None or base is None else value - base)
    return known, torch.tensor(above, dtype=torch.float64)


def _apart(scores: Scores, samples: Sequence[Sample], epsilon: float) -> tuple[list[float | None], torch.Tensor]:
    """What the parts of the reward that apply add up to, [N] (None: none applies), and their advantage by GDPO."""
    values = scores.values or {"reward": scores.total}
    weights = scores.weights or {"reward": 1.0}
    sums: list[float | None] = []
    for row in zip(*(scores.parts or values).values(), strict=True):
        known = [value for value in row if value is not None]
        sums.append(sum(known) if known else None)
    groups = [sample.group for sample in samples]
    _, advantage = gdpo(list(values.values()), [weights[name] for name in values], groups, epsilon)
    return sums, advantage
