"""Translate the question, nothing else: the first stage of QAlign (2401.07817). The second is SFT in the pivot alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from src.data.mixes.base import Material, unknown
from src.data.records import TEXT, Example
from src.language.phrases import TRANSLATE
from src.language.table import language

CLOSED = "</think>\n\n"


@dataclass(frozen=True)
class QAlign:
    """Each question in another language than the `pivot`, with the words of `strategy=translate` before it; learned is the question in
    the pivot. `thinks`: it follows an empty trace, as an answer of a model does that marks its thinking."""

    pivot: str = "en"
    thinks: bool = True
    languages: list[str] = field(default_factory=list)

    parallel: ClassVar[bool] = True
    samples: ClassVar[bool] = False

    @property
    def pivots(self) -> tuple[str, ...]:
        return (self.pivot,)

    def __call__(self, material: Material, seed: int) -> list[Example]:
        pairs = [(row, material.translation(row, self.pivot)) for row in material.within(self.languages)]
        ask = TRANSLATE.format(target=language(self.pivot).name)
        return [
            replace(
                row,
                question=f"{ask}\n\n{row.question}",
                completion=(CLOSED if self.thinks else "") + other.question,
                kind=TEXT,
            )
            for row, other in pairs
            if other is not None and row.language != self.pivot
        ]

    def violations(self) -> list[str]:
        return unknown([("pivot", self.pivot), *(("languages", code) for code in self.languages)])
