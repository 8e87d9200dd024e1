"""One prompt, as training and evaluation have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from src.data.records import Question
from src.strategies.base import Ask, message


@dataclass(frozen=True)
class Plain:
    """`instruction`, where it is given, stands for `data.instruction`: `localised` asks in the language of the query."""

    instruction: str = ""

    rounds: ClassVar[int] = 1
    shared: ClassVar[bool] = True

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        return Ask((message(question, self.instruction or instruction),))

    def violations(self) -> list[str]:
        if self.instruction in ("", "none", "localised"):
            return []
        return [f'strategy.instruction must be none, localised or "" (data.instruction); got {self.instruction!r}']
