"""Rows of data files, each with where it stands, for messages: JSONL, a JSON list, parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any

from src.common.errors import UserError


class BadData(UserError):
    """A data file that does not hold what it should; the message names file, line, field, rule and fix."""


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, object) of every line of a JSONL file, `where` naming file and line."""
    for number, raw in enumerate(path.read_bytes().split(b"\n"), start=1):
        if raw.strip():
            where = f"{path}, line {number}"
            try:
                row = json.loads(raw)
            except (ValueError, RecursionError) as error:
                raise BadData(f"{where}: not a JSON object in UTF-8 ({error}). Write one object a line.") from None
            if not isinstance(row, dict):
                raise BadData(f"{where}: a row must be a JSON object; got {type(row).__name__}.")
            yield where, row


def text_of(row: dict[str, Any], name: str, where: str) -> str:
    """The field `name` as text: a non-empty string, or a number, which is written out (7.0 as 7).

    Raises:
        BadData: it is missing, empty, of another type, no finite number, or no valid Unicode.
    """
    value = row.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return str(int(value) if value == int(value) else value)
    if not isinstance(value, str) or not value.strip():
        raise BadData(f"{where}, field {name!r}: must be a non-empty string or a number; got {value!r:.80}.")
    return encodable(value, name, where).strip()


def encodable(text: str, name: str, where: str) -> str:
    """`text`, if it can be written to a file; half a surrogate pair cannot.

    Raises:
        BadData: it cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadData(f"{where}, field {name!r}: must be valid Unicode; {error.reason} at {error.start}.") from None
    return text


def json_list(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, object) of every object of a JSON file that holds a list of them, `where` naming file and entry."""
    try:
        rows = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path}: not JSON in UTF-8 ({error}).") from None
    if not isinstance(rows, list):
        raise BadData(f"{path}: must be a list of JSON objects; got {type(rows).__name__}.")
    for number, row in enumerate(rows, start=1):
        where = f"{path}, entry {number}"
        if not isinstance(row, dict):
            raise BadData(f"{where}: must be a JSON object; got {type(row).__name__}.")
        yield where, row


def parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, row) of every row of a parquet file, `where` naming file and row, the first row being row 1."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            rows = file.read().to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise BadData(f"{path}: not a parquet file ({error}).") from None
    for number, row in enumerate(rows, start=1):
        yield f"{path}, row {number}", row
