"""Engines that answer from a script: how tests put any text, however hostile, through the whole loop.

`ScriptedEngine` asks a function for each completion, `FileEngine` draws from the lines of a file (`rollout.script`).
Log-probabilities are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from src.data.readers import BadData, encodable, json_lines
from src.rollout.engines.base import Rollout, Sampling, end_tokens, uniforms


class ScriptedEngine:
    """See `src.rollout.engines.base.Engine`. `reply(prompt_tokens, completion_index)` gives the tokens of a completion, with
    the end token."""

    name = "scripted"
    probed = False
    positions: int | None = None

    def __init__(self, reply: Callable[[Sequence[int], int], list[int]], end: int | Sequence[int]) -> None:
        self.reply = reply
        self.ends = end_tokens(end)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """A script has no weights."""

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """See `Engine.generate`."""
        return [
            [as_rollout(self.reply(prompt, index), self.ends, sampling) for index in range(completions)]
            for prompt in prompts
        ]


class FileEngine:
    """See `src.rollout.engines.base.Engine`. `replies` are the tokens of each line, with the end token; of these, a
    completion is drawn with the random number of its prompt."""

    name = "scripted"
    probed = False
    positions: int | None = None

    def __init__(self, replies: Sequence[Sequence[int]], end: int | Sequence[int]) -> None:
        self.replies = replies
        self.ends = end_tokens(end)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """A script has no weights."""

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """See `Engine.generate`."""
        return [
            [
                as_rollout(self.replies[int(number * len(self.replies))], self.ends, sampling)
                for number in uniforms(seed, completions, 1).double().squeeze(-1).tolist()
            ]
            for seed in seeds
        ]


def as_rollout(reply: Sequence[int], ends: Sequence[int], sampling: Sampling) -> Rollout:
    """`reply` within the budget of tokens, each with log-probability 0."""
    tokens = list(reply[: sampling.maximum_new_tokens])
    return Rollout(tokens, torch.zeros(len(tokens)), not tokens or tokens[-1] not in ends)


def read_script(path: Path, tokens_of: Callable[[str], list[int]]) -> list[list[int]]:
    """`tokens_of` the text of every line {"text": ...} of a JSONL file; a text may be empty.

    Raises:
        BadData: there is no line, or one that is no such object; the message names file, line and field.
    """
    if not path.is_file():
        raise BadData(f'rollout.script: {path} is not a file. Give a JSONL file with lines {{"text": ...}}')
    replies = []
    for where, row in json_lines(path):
        text = row.get("text")
        if not isinstance(text, str):
            raise BadData(f"{where}, field 'text': must be a string, what is said; got {text!r:.80}.")
        if other := sorted(row.keys() - {"text"}):
            raise BadData(f"{where}, field {other[0]!r}: a line of a script has the field 'text' alone; remove it.")
        replies.append(tokens_of(encodable(text, "text", where)))
    if not replies:
        raise BadData(f'{path}: must hold at least one line {{"text": ...}}; it holds none.')
    return replies
