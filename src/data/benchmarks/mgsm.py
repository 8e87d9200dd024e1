"""MGSM: 250 problems of GSM8K, translated by people into 10 languages, and English (CC BY-SA 4.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark
from src.data.readers import BadData, text_lines, text_of
from src.data.records import Question
from src.language.table import PUBLISHED_MGSM

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")


@dataclass(frozen=True)
class Mgsm(Benchmark):
    """Files `mgsm_<language>.tsv`: question, tab, integer with thousands commas; line n is one problem everywhere."""

    def languages(self) -> tuple[str, ...]:
        return LANGUAGES

    def published_languages(self) -> tuple[str, ...]:
        return PUBLISHED_MGSM

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        return [question for code in languages for question in self._of(code)]

    def _of(self, code: str) -> list[Question]:
        path = self.file(f"mgsm_{code}.tsv")
        questions = []
        for number, line in enumerate(text_lines(path), start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            if line.count("\t") != 1:
                raise BadData(f"{where}: must be question, tab, answer; got {line.count(chr(9))} tabs.")
            row = dict(zip(("question", "answer"), line.split("\t"), strict=True))
            gold = text_of(row, "answer", where).replace(",", "")
            if not gold.removeprefix("-").isdecimal():
                raise BadData(f"{where}, field 'answer': must be an integer; got {row['answer']!r:.80}.")
            questions.append(Question(str(number), code, text_of(row, "question", where), gold))
        return questions
