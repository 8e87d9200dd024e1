"""The two records every stage exchanges, and their files: a question with its gold answer, and a worked example.

JSONL, one object a line. A malformed row is an error that names file, line and field; nothing is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from src.data.formats import Layout
from src.data.hub import named_rows
from src.data.readers import MARK, BadData, encodable, gold_of, short, text_of
from src.data.shapes import FOREIGN, numbered, shaped
from src.grading.tasks import KIND
from src.language.table import UnknownLanguage, code_of

KINDS = ("expression", "choice", KIND)
TEXT = "text"  # of an example alone, and of none in a file: a mix makes them
_HOW = "Columns of other names are mapped with data.fields or benchmark.fields, a language for all rows is data.language or benchmark.language"


@dataclass(frozen=True)
class Question:
    """A question to be answered. `problem` is shared by the translations of one problem.

    `kind` says how its answers are graded: `expression` (numbers and formulas), `choice` (the letter of an option) or
    `reasoning_gym` (the scorer of a task, `src.grading.tasks`).
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
    """A question with the completion to imitate: what follows the prompt, up to but without the end token.

    `trace_language` is the language of its trace where that is not the question's: a code, or several of which any will do
    (`en+fr`); empty: the question's. An example of the kind `TEXT` is a text to be learned as it is: no answer, not graded.
    """

    completion: str
    trace_language: str = field(default="", kw_only=True)

    @property
    def trace_languages(self) -> tuple[str, ...]:
        """The languages that its trace may be in."""
        return tuple(self.trace_language.split("+")) if self.trace_language else (self.language,)


Record = TypeVar("Record", bound=Question)


def read_records(path: str | Path, kind: type[Record], layout: Layout | None = None) -> list[Record]:
    """All rows of a data file (`src.data.readers.ENDINGS`), or of a place in a repository (`src.data.hub`), as `kind`; raises
    `BadData` on the first row that is not one. `layout` says how columns are named (`src.data.shapes`)."""
    return [record for _, record in placed_records(path, kind, layout)]


def placed_records(path: str | Path, kind: type[Record], layout: Layout | None = None) -> list[tuple[str, Record]]:
    """(where, record) of every row, as `read_records` reads them."""
    layout = layout or Layout()
    placed = [(where, shaped(row, where, layout)) for where, row in named_rows(str(path))]
    if not placed:
        raise BadData(f"{path}: holds no rows. At least one is needed.")
    numbered([row for _, row in placed])
    return [(where, _record(where, row, kind)) for where, row in placed]


def _record(where: str, row: dict[str, Any], kind: type[Record]) -> Record:
    needed = [item.name for item in fields(kind) if item.default is MISSING]
    ungraded = kind is Example and FOREIGN in row and row.get("gold") is None  # a chat shows, and need not be graded
    missing = [name for name in needed if row.get(name) is None and not (ungraded and name == "gold")]
    if missing:
        names = ", ".join(map(repr, missing))
        raise BadData(
            f"{where}, field{'s' * (len(missing) > 1)} {names}: missing. A row needs {', '.join(needed)}; this one has "
            f"{', '.join(name for name, value in row.items() if value is not None and name != FOREIGN) or 'none'}. {_HOW}"
        )
    values: dict[str, Any] = {
        "problem": text_of(row, "problem", where),
        "gold": "" if ungraded else gold_of(row, "gold", where),
    }
    for name in needed:
        if name not in (*values, "language"):
            if not isinstance(row[name], str) or not row[name].strip():
                raise BadData(f"{where}, field {name!r}: must be a non-empty string; got {short(row[name])}.")
            values[name] = encodable(row[name].removeprefix(MARK), name, where)
    try:
        values["language"] = code_of(text_of(row, "language", where))
    except UnknownLanguage as error:
        raise BadData(f"{where}, field 'language': {error}") from None
    if kind is Example and row.get("trace_language"):
        values["trace_language"] = _languages(where, text_of(row, "trace_language", where))
    values["kind"] = "expression" if row.get("kind") is None else row["kind"]
    if values["kind"] not in KINDS:
        raise BadData(f"{where}, field 'kind': must be one of {', '.join(KINDS)}; got {short(row['kind'])}.")
    values["part"] = "" if row.get("part") is None else row["part"]
    if not isinstance(values["part"], str):
        raise BadData(f"{where}, field 'part': must be a string; got {short(row['part'])}.")
    encodable(values["part"], "part", where)
    return kind(**values)


def _languages(where: str, text: str) -> str:
    """`en+fr` with each language by its code."""
    try:
        return "+".join(code_of(name.strip()) for name in text.split("+"))
    except UnknownLanguage as error:
        raise BadData(f"{where}, field 'trace_language': {error}") from None


def write_records(path: str | Path, records: Sequence[Question]) -> None:
    """Write the records as JSONL, in order; of a language of the trace only where it is another."""
    rows = [
        {key: value for key, value in asdict(record).items() if key != "trace_language" or value} for record in records
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    Path(path).write_text(text, encoding="utf-8")
