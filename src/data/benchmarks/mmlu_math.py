"""MMLU mathematics: subjects of Global-MMLU, four options, in 17 of our languages (Cohere Labs, Apache-2.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark, choice, each_once, option_of
from src.data.readers import parquet_rows, text_of
from src.data.records import Question

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "id", "it", "ja", "ko", "ms", "pt", "ru", "sw", "te", "vi", "zh")


@dataclass(frozen=True)
class MmluMath(Benchmark):
    """Files `<language>/test-00000-of-00001.parquet`; a `sample_id` is one problem everywhere. The questions of
    `subjects` are asked, and the part is the subject."""

    subjects: list[str] = field(default_factory=lambda: ["college_mathematics"])

    def languages(self) -> tuple[str, ...]:
        return LANGUAGES

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        questions = []
        for code in languages:
            for where, row in parquet_rows(self.file(f"{code}/test-00000-of-00001.parquet")):
                subject = text_of(row, "subject", where)
                if subject in self.subjects:
                    options = [text_of(row, f"option_{letter}", where) for letter in "abcd"]
                    right = option_of(row, "answer", where, options)
                    problem = text_of(row, "sample_id", where)
                    question = text_of(row, "question", where)
                    questions.append((where, choice(problem, code, question, options, right, part=subject)))
        return each_once(questions)

    def fingerprint(self) -> str:
        return " ".join([super().fingerprint(), *sorted(self.subjects)])
