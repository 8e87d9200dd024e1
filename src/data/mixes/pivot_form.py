"""The trace begins with the question in the pivot: PAM, the first stage of PASMR (2601.17671)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from src.data.mixes.base import Material, either, thought_of, unknown
from src.data.records import Example

OPENS, CLOSES = "<pivot>", "</pivot>"


@dataclass(frozen=True)
class PivotForm:
    """Question, answer and the rest of the trace stay in their language; the question in the `pivot` stands in tags before it."""

    pivot: str = "en"
    languages: list[str] = field(default_factory=list)

    parallel: ClassVar[bool] = True
    samples: ClassVar[bool] = False

    @property
    def pivots(self) -> tuple[str, ...]:
        return (self.pivot,)

    def __call__(self, material: Material, seed: int) -> list[Example]:
        pairs = [(row, material.translation(row, self.pivot)) for row in material.within(self.languages)]
        return [
            replace(
                row,
                completion=f"{OPENS}\n{other.question}\n{CLOSES}\n{''.join(thought_of(row.completion))}",
                trace_language=either(row.language, self.pivot),
            )
            for row, other in pairs
            if other is not None
        ]

    def violations(self) -> list[str]:
        return unknown([("pivot", self.pivot), *(("languages", code) for code in self.languages)])
