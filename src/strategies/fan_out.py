"""Every sample thinks in another language: in turn, as CLC (2504.01857) and Best-of-L (2509.15811), or drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from src.common.seeds import derive_seed
from src.data.records import Question
from src.language.phrases import PHRASES
from src.strategies.base import Ask, message, unknown


@dataclass(frozen=True)
class FanOut:
    """The question stays as it is; a line asks to think in the language of the sample, and the thinking begins with words
    in it. `random`: each sample draws its language; else sample i has the i-th, and they begin anew after the last."""

    languages: list[str] = field(default_factory=lambda: list(PHRASES))
    random: bool = False

    rounds: ClassVar[int] = 1
    shared: ClassVar[bool] = False

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        place = derive_seed("language", seed, sample) if self.random else sample
        phrases = PHRASES[self.languages[place % len(self.languages)]]
        return Ask((message(question, instruction, phrases.think_in),), phrases.opening + "\n")

    def violations(self) -> list[str]:
        return unknown("languages", self.languages)
