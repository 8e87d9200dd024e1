"""PolyMath: 125 problems at each of four levels of difficulty in 18 languages (Qwen, Apache-2.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark, each_once
from src.data.readers import parquet_rows, text_of, undollared
from src.data.records import Question
from src.language.table import LANGUAGES

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


LEVELS = ("low", "medium", "high", "top")


@dataclass(frozen=True)
class Polymath(Benchmark):
    """Files `<language>/<level>.parquet` with `id`, `question`, `answer`; the part is the level."""

    def languages(self) -> tuple[str, ...]:
        return tuple(LANGUAGES)

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        return each_once(
            (
                where,
                Question(
                    problem=_shared(text_of(row, "id", where), code),
                    language=code,
                    question=text_of(row, "question", where),
                    gold=undollared(text_of(row, "answer", where)),
                    part=level,
                ),
            )
            for code in languages
            for level in LEVELS
            for where, row in parquet_rows(self.file(f"{code}/{level}.parquet"))
        )


def _shared(identity: str, code: str) -> str:
    """The id without the language in it (`top-en-3`, `top-3`), which all translations share."""
    return "-".join(piece for piece in identity.split("-") if piece != code)
