"""The thinking begins with words in the language of the query: prompt hacking (2505.22888), DIT and QRT (2510.07300)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from src.data.records import Question
from src.language.phrases import PHRASES
from src.strategies.base import Ask, message

WORDS = ("opening", "marker", "restate")


@dataclass(frozen=True)
class Hack:
    """`words`: `opening` announces the language, `marker` is a word that begins a thought, `restate` repeats the question."""

    words: str = "opening"

    rounds: ClassVar[int] = 1
    shared: ClassVar[bool] = True

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        text: str = getattr(PHRASES[question.language], self.words)
        end = "" if self.words == "marker" else "\n"  # a sentence stands on a line of its own
        return Ask((message(question, instruction),), text.replace("{question}", question.question) + end)

    def violations(self) -> list[str]:
        return [] if self.words in WORDS else [f"strategy.words must be one of {', '.join(WORDS)}; got {self.words!r}"]
