"""An engine that answers from a script: how tests put any text, however hostile, through the whole loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from src.rollout.base import Rollout, Sampling, end_tokens


class ScriptedEngine:
    """`reply(prompt_tokens, completion_index)` gives the tokens of each completion; log-probabilities are 0."""

    name, probed = "scripted", False

    def __init__(self, reply: Callable[[Sequence[int], int], list[int]], end: int | Sequence[int]) -> None:
        self.reply, self.ends = reply, end_tokens(end)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """A script has no weights."""

    def generate(
        self, prompts: Sequence[Sequence[int]], streams: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """See `Engine.generate`."""
        return [
            [as_rollout(self.reply(prompt, index), self.ends, sampling) for index in range(completions)]
            for prompt in prompts
        ]


def as_rollout(reply: Sequence[int], ends: Sequence[int], sampling: Sampling) -> Rollout:
    """`reply` within the budget of tokens, each with log-probability 0."""
    tokens = list(reply[: sampling.maximum_new_tokens])
    return Rollout(tokens, torch.zeros(len(tokens)), not tokens or tokens[-1] not in ends)
