"""GPQA diamond: the 198 hardest of the 448 questions of GPQA that BenchMAX has in 14 of our languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark, choice, shuffled
from src.data.fetch import fetch
from src.data.readers import BadData, json_lines, rows_of, text_of
from src.data.records import Question

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "ja", "ko", "ru", "sw", "te", "th", "vi", "zh")
WRONG = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")


@dataclass(frozen=True)
class GpqaDiamond(Benchmark):
    """Files `gpqa_<language>.jsonl`; line n is one problem everywhere. The diamond questions are those whose English
    text stands under `Question` in `gpqa_diamond.csv` of `diamond` at `diamond_revision` (gated), or in `path`.

    Options stand in an order that a hash of the problem decides.
    """

    diamond: str = "hub:Idavidrein/gpqa"
    diamond_revision: str = "633f5ee89ab8ad4522a9f850766b73f62147ffdd"

    def languages(self) -> tuple[str, ...]:
        return LANGUAGES

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        english = list(json_lines(self.file("gpqa_en.jsonl")))
        diamond = self._diamond()
        numbers = {
            number for number, (where, row) in enumerate(english) if _plain(text_of(row, "Question", where)) in diamond
        }
        if len(numbers) != len(diamond):
            raise BadData(
                f"{self.file('gpqa_en.jsonl')}: holds {len(numbers)} of the {len(diamond)} questions of gpqa_diamond.csv. "
                f"All must be there, word for word"
            )
        questions = []
        for code in languages:
            rows = list(json_lines(self.file(f"gpqa_{code}.jsonl")))
            if len(rows) != len(english):
                raise BadData(
                    f"{self.file(f'gpqa_{code}.jsonl')}: has {len(rows)} rows, but gpqa_en.jsonl has {len(english)}. "
                    f"Line n must be the same problem in both"
                )
            for number in sorted(numbers):
                where, row = rows[number]
                problem = str(number + 1)
                question = text_of(row, "Question", where)
                options, right = shuffled([text_of(row, name, where) for name in ("Correct Answer", *WRONG)], problem)
                questions.append(choice(problem, code, question, options, right))
        return questions

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {self.diamond_revision}"

    def _diamond(self) -> set[str]:
        if self.path is not None:
            path = self.file("gpqa_diamond.csv")
        else:
            path = fetch(self.diamond, self.diamond_revision, "gpqa_diamond.csv")
        return {_plain(text_of(row, "Question", where)) for where, row in rows_of(path)}


def _plain(text: str) -> str:
    """The letters and digits alone: blanks and line ends differ between the two files."""
    return "".join(character for character in text if character.isalnum())
