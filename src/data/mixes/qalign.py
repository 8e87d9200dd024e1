"""Translate the question, nothing else: the first stage of QAlign (2401.07817). The second is SFT in the pivot alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from src.data.mixes.base import Material, WithPivot
from src.data.records import TEXT, Example
from src.language.phrases import TRANSLATE
from src.language.table import language

CLOSED = "</think>\n\n"


@dataclass(frozen=True)
class QAlign(WithPivot):
    """Each question in another language than the `pivot`, with the words of `strategy=translate` before it; learned is the question in
    the pivot. `thinks`: it follows an empty trace, as an answer of a model does that marks its thinking."""

    thinks: bool = True

    def __call__(self, material: Material, seed: int) -> list[Example]:
        ask = TRANSLATE.format(target=language(self.pivot).name)
        return [
            replace(
                row,
                question=f"{ask}\n\n{row.question}",
                completion=(CLOSED if self.thinks else "") + other.question,
                kind=TEXT,
            )
            for row, other in self.pairs(material)
            if row.language != self.pivot
        ]
