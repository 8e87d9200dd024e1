"""MMATH: 374 problems of AIME 2024 and 2025, CNMO and MATH-500 in 10 languages (RUCAIBox)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from src.data.benchmarks.base import Benchmark, each_once
from src.data.readers import json_list, text_of, undollared
from src.data.records import Question

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


LANGUAGES = ("ar", "en", "es", "fr", "ja", "ko", "pt", "th", "vi", "zh")


@dataclass(frozen=True)
class Mmath(Benchmark):
    """Files `<language>.json`, a list of objects; a `gid` is one problem everywhere. The part is `data_source` in lower
    case: aime2024, aime2025 (30 and 15 problems), cnmo (18), math500 (311). `parts` keeps those alone; empty: all."""

    parts: list[str] = field(default_factory=list)

    def languages(self) -> tuple[str, ...]:
        return LANGUAGES

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        return each_once(
            (where, question)
            for code in languages
            for where, row in json_list(self.file(f"{code}.json"))
            if (question := self._question(code, where, row)) and (not self.parts or question.part in self.parts)
        )

    def _question(self, code: str, where: str, row: dict[str, Any]) -> Question:
        return Question(
            problem=text_of(row, "gid", where),
            language=code,
            question=text_of(row, "question", where),
            gold=undollared(text_of(row, "answer", where)),  # those of cnmo stand between dollar signs
            part=text_of(row, "data_source", where).lower(),
        )

    def violations(self) -> list[str]:
        violations = super().violations()
        unknown = sorted(set(self.parts) - {"aime2024", "aime2025", "cnmo", "math500"})
        if unknown:
            violations.append(
                f"benchmark.parts must be among aime2024, aime2025, cnmo, math500; got {', '.join(unknown)}"
            )
        return violations

    def fingerprint(self) -> str:
        return " ".join([super().fingerprint(), *sorted(self.parts)])
