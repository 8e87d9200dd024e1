"""The trace begins with the question in the pivot: PAM, the first stage of PASMR (2601.17671)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from src.data.mixes.base import Material, WithPivot, either, thought_of
from src.data.records import Example

OPENS, CLOSES = "<pivot>", "</pivot>"


@dataclass(frozen=True)
class PivotForm(WithPivot):
    """Question, answer and the rest of the trace stay in their language; the question in the `pivot` stands in tags before it."""

    def __call__(self, material: Material, seed: int) -> list[Example]:
        return [
            replace(
                row,
                completion=f"{OPENS}\n{other.question}\n{CLOSES}\n{''.join(thought_of(row.completion))}",
                trace_language=either(row.language, self.pivot),
            )
            for row, other in self.pairs(material)
        ]
