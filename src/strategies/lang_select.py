"""The model selects the language that it thinks in, and says so in a tag: ExpLang (2602.21887)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from src.data.records import Question
from src.language.phrases import PHRASES
from src.strategies.base import Ask, message, unknown

SELECT = (
    "Select the language that you will think in, one of {codes}: begin with <lang_select>, its code and </lang_select>, "
    "then think in it."
)


@dataclass(frozen=True)
class LangSelect:
    """A line asks for the tag. A model that has learned it (`mix=lang_select`) needs none."""

    selectable: list[str] = field(default_factory=lambda: list(PHRASES))

    rounds: ClassVar[int] = 1
    shared: ClassVar[bool] = True

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        return Ask((message(question, instruction, SELECT.format(codes=", ".join(self.selectable))),))

    def violations(self) -> list[str]:
        return unknown("selectable", self.selectable)
