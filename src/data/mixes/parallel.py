"""The same problems in every language, MathOctopus (2310.20246): each asked in its own language, or in another one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from src.data.mixes.base import Material, unknown
from src.data.records import Example
from src.language.phrases import PHRASES


@dataclass(frozen=True)
class Parallel:
    """`asked` empty: question and completion in the language of each row (parallel). Else the question is in that language, and
    the completion stays (cross); `line` puts before it a line that asks for the completion's language, which else nothing tells.
    `languages` are those of the completions, none given: all."""

    asked: str = ""
    line: bool = True
    languages: list[str] = field(default_factory=list)

    parallel: ClassVar[bool] = True
    samples: ClassVar[bool] = False

    @property
    def pivots(self) -> tuple[str, ...]:
        return (self.asked,) if self.asked else ()

    def __call__(self, material: Material, seed: int) -> list[Example]:
        rows = material.within(self.languages)
        if not self.asked:
            return rows
        pairs = [(row, material.translation(row, self.asked)) for row in rows]
        return [self._asked(row, other) for row, other in pairs if other is not None]

    def _asked(self, row: Example, other: Example) -> Example:
        """A row whose question is that of its translation."""
        if other.language == row.language:
            return row
        line = f"{PHRASES[row.language].think_in}\n\n" if self.line and row.language in PHRASES else ""
        return replace(
            row,
            language=other.language,
            question=line + other.question,
            trace_language=row.trace_language or row.language,
        )

    def violations(self) -> list[str]:
        return unknown([*[("asked", self.asked)] * bool(self.asked), *(("languages", code) for code in self.languages)])
