"""The two records every stage exchanges, and their files: a question with its gold answer, and a worked example.

JSONL, one object a line. A malformed row is an error that names file, line and field; nothing is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from src.data.readers import MARK, BadData, encodable, gold_of, rows_of, short, text_of
from src.language.table import UnknownLanguage, code_of

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
    """All rows of a data file (`src.data.readers.ENDINGS`) as `kind`; raises `BadData` on the first row that is not one."""
    return [record for _, record in placed_records(path, kind)]


def placed_records(path: str | Path, kind: type[Record]) -> list[tuple[str, Record]]:
    """(where, record) of every row, as `read_records` reads them."""
    path = Path(path)
    if not path.is_file():
        raise BadData(f"{path}: no such file. A data file must exist; check the path in data.*")
    records = [(where, _record(where, row, kind)) for where, row in rows_of(path)]
    if not records:
        raise BadData(f"{path}: holds no rows. At least one is needed.")
    return records


def _record(where: str, row: dict[str, Any], kind: type[Record]) -> Record:
    needed = [item.name for item in fields(kind) if item.default is MISSING]
    missing = [name for name in needed if row.get(name) is None]
    if missing:
        names = ", ".join(map(repr, missing))
        raise BadData(
            f"{where}, field{'s' * (len(missing) > 1)} {names}: missing. A row needs {', '.join(needed)}; this one has "
            f"{', '.join(row) or 'none'}."
        )
    values: dict[str, Any] = {"problem": text_of(row, "problem", where), "gold": gold_of(row, "gold", where)}
    for name in needed:
        if name not in (*values, "language"):
            if not isinstance(row[name], str) or not row[name].strip():
                raise BadData(f"{where}, field {name!r}: must be a non-empty string; got {short(row[name])}.")
            values[name] = encodable(row[name].removeprefix(MARK), name, where)
    try:
        values["language"] = code_of(text_of(row, "language", where))
    except UnknownLanguage as error:
        raise BadData(f"{where}, field 'language': {error}") from None
    values["kind"] = "expression" if row.get("kind") is None else row["kind"]
    if values["kind"] not in KINDS:
        raise BadData(f"{where}, field 'kind': must be one of {', '.join(KINDS)}; got {short(row['kind'])}.")
    values["part"] = "" if row.get("part") is None else row["part"]
    if not isinstance(values["part"], str):
        raise BadData(f"{where}, field 'part': must be a string; got {short(row['part'])}.")
    encodable(values["part"], "part", where)
    return kind(**values)


def write_records(path: str | Path, records: Sequence[Question]) -> None:
    """Write the records as JSONL, in order."""
    text = "".join(json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in records)
    Path(path).write_text(text, encoding="utf-8")
