"""MMLU-Pro medicine: the category health of MMLU-ProX, up to ten options, in 17 of our languages (li-lab, MIT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark, choice, each_once, option_of
from src.data.readers import parquet_rows, text_of
from src.data.records import Question

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "id", "it", "ja", "ko", "pt", "ru", "sw", "te", "th", "vi", "zh")
ABSENT = (None, "", "N/A")


@dataclass(frozen=True)
class MmluProMedicine(Benchmark):
    """Files `<language>/test-00000-of-00001.parquet` with `option_0` to `option_9`, of which the last may be absent;
    a `question_id` is one problem everywhere. `category` is the one that is asked."""

    category: str = "health"

    def languages(self) -> tuple[str, ...]:
        return LANGUAGES

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        questions = []
        for code in languages:
            for where, row in parquet_rows(self.file(f"{code}/test-00000-of-00001.parquet")):
                if text_of(row, "category", where) == self.category:
                    count = 10
                    while count and row.get(f"option_{count - 1}") in ABSENT:
                        count -= 1
                    options = [text_of(row, f"option_{index}", where) for index in range(max(count, 2))]
                    right = option_of(row, "answer", where, options)
                    problem = text_of(row, "question_id", where)
                    question = text_of(row, "question", where)
                    questions.append((where, choice(problem, code, question, options, right)))
        return each_once(questions)

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {self.category}"
