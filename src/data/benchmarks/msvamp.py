"""MSVAMP: 1,000 one-step word problems in 10 languages (MIT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark
from src.data.readers import json_lines, text_of
from src.data.records import Question
from src.language.table import language

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "th", "zh")


@dataclass(frozen=True)
class Msvamp(Benchmark):
    """Files `test_<Language>.json`, one object a line: `m_query` in the language, `response` a number such as `8.0`;
    line n is one problem everywhere."""

    def languages(self) -> tuple[str, ...]:
        return LANGUAGES

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        return [
            Question(str(number), code, text_of(row, "m_query", where), text_of(row, "response", where))
            for code in languages
            for number, (where, row) in enumerate(json_lines(self.file(f"test_{language(code).name}.json")), start=1)
        ]
