"""Questions of your own: one data file (JSONL, CSV, parquet, ...) with the fields of `src.data.records.Question`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark, content_hash, each_once
from src.data.formats import Layout
from src.data.hub import is_remote
from src.data.readers import BadData
from src.data.records import Question, placed_records
from src.language.table import LANGUAGES

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


@dataclass(frozen=True)
class Jsonl(Benchmark):
    """`questions_file` is the file, or its name in a repository (`src.data.hub`); `fields` and `language` say how its columns are named
    (`src.data.shapes`). Its problems may be in any of the known languages."""

    questions_file: str | None = None

    def languages(self) -> tuple[str, ...]:
        return tuple(LANGUAGES)

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        if self.questions_file is None:
            raise BadData(
                "benchmark.questions_file must be a JSONL file of questions, or every completion have its gold"
            )
        rows = each_once(placed_records(self.questions_file, Question, self.layout))
        return [row for code in languages for row in rows if row.language == code]

    def violations(self) -> list[str]:
        violations = super().violations()
        if self.completions is None and self.questions_file is None:
            violations.append(
                "benchmark=jsonl needs a file: benchmark.questions_file=<JSONL file of questions>, or "
                "benchmark.completions=<file of completions to score>; none is given"
            )
        elif self.completions is None and not (
            is_remote(str(self.questions_file)) or Path(str(self.questions_file)).is_file()
        ):
            violations.append(
                f"benchmark.questions_file must be a JSONL file of questions; {self.questions_file} is none"
            )
        return violations

    def fingerprint(self) -> str:
        name = self.questions_file
        if name is None:
            return super().fingerprint()
        content = name if is_remote(name) else content_hash(Path(name))
        read = f" as {self.layout.language} {sorted(self.fields.items())}" if self.layout != Layout() else ""
        return f"{super().fingerprint()} {content}{read}"
