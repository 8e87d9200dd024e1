"""The two records every stage exchanges, and their files: a question with its gold answer, and a worked example.

JSONL, one object a line. A malformed row is an error that names file, line and field; nothing is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from src.data.readers import BadData, json_lines
from src.language.table import language as language_of

KINDS = ("expression", "choice")


@dataclass(frozen=True)
class Question:
    """A question to be answered. `problem` is shared by the translations of one problem.

    `kind` says how its answers are graded: `expression` (numbers and formulas) or `choice` (the letter of an option).
    `part` is the source or the difficulty level it belongs to, where a benchmark averages over those; else empty.
    """

    problem: str
    language: str
    question: str
    gold: str
    kind: str = field(default="expression", kw_only=True)
    part: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Example(Question):
    """A question with the completion to imitate: what follows the prompt, up to but without the end token."""

    completion: str


Record = TypeVar("Record", bound=Question)


def read_records(path: str | Path, kind: type[Record]) -> list[Record]:
    """All rows of a JSONL file as `kind`; raises `BadData` on the first row that is not one."""
    path = Path(path)
    if not path.is_file():
        raise BadData(f"{path}: no such file. A data file must exist; check the path in data.*")
    records = [_record(where, row, kind) for where, row in json_lines(path)]
    if not records:
        raise BadData(f"{path}: holds no rows. At least one is needed.")
    return records


def _record(where: str, row: dict[str, Any], kind: type[Record]) -> Record:
    needed = [item.name for item in fields(kind) if item.default is MISSING]
    optional = [item.name for item in fields(kind) if item.default is not MISSING]
    for name in needed:
        if name not in row:
            raise BadData(f"{where}, field {name!r}: missing. A row needs {', '.join(needed)}.")
        if not isinstance(row[name], str) or not row[name].strip():
            raise BadData(f"{where}, field {name!r}: must be a non-empty string; got {row[name]!r:.80}.")
    try:
        language_of(row["language"])
    except ValueError as error:
        raise BadData(f"{where}, field 'language': {error}") from None
    if row.get("kind", "expression") not in KINDS:
        raise BadData(f"{where}, field 'kind': must be one of {', '.join(KINDS)}; got {row['kind']!r:.80}.")
    if not isinstance(row.get("part", ""), str):
        raise BadData(f"{where}, field 'part': must be a string; got {row['part']!r:.80}.")
    return kind(**{name: row[name] for name in [*needed, *optional] if name in row})


def write_records(path: str | Path, records: Sequence[Question]) -> None:
    """Write the records as JSONL, in order."""
    text = "".join(json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in records)
    Path(path).write_text(text, encoding="utf-8")
