"""An engine that answers from a script: how tests put any text, however hostile, through the whole loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from src.rollout.base import Rollout, Sampling


class ScriptedEngine:
    """`reply(prompt_tokens, completion_index)` gives the tokens of each completion; log-probabilities are 0."""

    def __init__(self, reply: Callable[[Sequence[int], int], list[int]], end: int) -> None:
        self.reply, self.end = reply, end

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """A script has no weights."""

    def generate(
        self, prompts: Sequence[Sequence[int]], streams: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """See `Engine.generate`."""
        groups = []
        for prompt in prompts:
            replies = [self.reply(prompt, index)[: sampling.maximum_new_tokens] for index in range(completions)]
            groups.append([Rollout(r, torch.zeros(len(r)), not r or r[-1] != self.end) for r in replies])
        return groups
