"""Credit assignment: rewards, language terms and advantages of the rollouts of a step."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from src.algorithm.advantages import AdvantageResult, advantages
from src.algorithm.schedules.base import Controller, Observed
from src.algorithm.shaping import overlong_penalty
from src.config.schema import Config
from src.training.collect import Sampled


@dataclass(frozen=True)
class Worth:
    """What the rollouts of a step are worth, [N] each, and the controller that has seen them."""

    rewards: list[float | None]
    shaping: Tensor
    result: AdvantageResult
    controller: Controller


def weigh(config: Config, controller: Controller, sampled: Sequence[Sampled], progress: float) -> Worth:
    """Rewards, length shaping and advantages of all rollouts of a step so far.

    The controller observes them in a copy, so that a step of several sampling rounds is observed once, as a whole.
    """
    controller = copy.deepcopy(controller)
    seen = Observed(
        rewards=config.reward([row.judged for row in sampled]),
        reasoning=[row.judged.fidelity.detected for row in sampled],
        query=[row.question.language for row in sampled],
        groups=[row.group for row in sampled],
    )
    controller.observe(seen)
    shaping, overlong = torch.zeros(len(sampled)), config.objective.overlong
    if overlong.buffer:
        lengths = [len(row.rollout.tokens) for row in sampled]
        shaping = overlong_penalty(lengths, config.rollout.maximum_new_tokens, overlong.buffer, overlong.penalty)
    result = advantages(
        config.objective.advantage,
        rewards=seen.rewards,
        reasoning=seen.reasoning,
        query=seen.query,
        groups=seen.groups,
        factor=torch.tensor([controller.factor(progress, code) for code in seen.query], dtype=torch.float64),
        exploration=torch.tensor([controller.exploration(progress, code) for code in seen.query], dtype=torch.float64),
        shaping=shaping,
    )
    return Worth(list(seen.rewards), shaping, result, controller)
