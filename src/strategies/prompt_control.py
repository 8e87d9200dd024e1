"""A line that asks to think and to answer in the language of the query: Prompt-Control (2510.07300)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from src.data.records import Question
from src.language.phrases import PHRASES
from src.strategies.base import Ask, message


@dataclass(frozen=True)
class PromptControl:
    """The line stands after the instruction."""

    rounds: ClassVar[int] = 1
    shared: ClassVar[bool] = True

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        return Ask((message(question, instruction, PHRASES[question.language].think_in),))
