"""MGSM-Rev2: the 250 problems of MGSM with corrected translations, in 12 languages (CC BY-SA 4.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark, each_once
from src.data.readers import gold_of, json_lines, text_of
from src.data.records import Question
from src.language.table import EVALUATED, PUBLISHED_MGSM

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


@dataclass(frozen=True)
class MgsmRev2(Benchmark):
    """Files `<language>.jsonl` with `id`, `question`, `answer`; an id is one problem in every language."""

    def languages(self) -> tuple[str, ...]:
        return EVALUATED

    def published_languages(self) -> tuple[str, ...]:
        return PUBLISHED_MGSM

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        return each_once(
            (
                where,
                Question(
                    problem=text_of(row, "id", where),
                    language=code,
                    question=text_of(row, "question", where),
                    gold=gold_of(row, "answer", where),
                ),
            )
            for code in languages
            for where, row in json_lines(self.file(f"{code}.jsonl"))
        )
