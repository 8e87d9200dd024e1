"""Rows of data files, each with where it stands, for messages: JSONL, a JSON list, CSV, TSV, parquet; gzip, too."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from src.common.errors import UserError

Rows = Iterator[tuple[str, dict[str, Any]]]
ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
LONGEST = 300  # digits of a number
MARK = "\ufeff"  # of the byte order, at the beginning of a file


class BadData(UserError):
    """A data file that does not hold what it should; the message names file, line, field, rule and fix."""


def rows_of(path: Path) -> Rows:
    """(where, row) of every row of a file, read by its ending: one of `ENDINGS`, of all but parquet with `.gz` behind it.

    Raises:
        BadData: another ending, or not such a file.
    """
    ending = ending_of(path)
    if ending == ".parquet":
        return parquet_rows(path)
    if ending in (".csv", ".tsv"):
        return _table_rows(path, "," if ending == ".csv" else "\t")
    if ending == ".json" and _bytes(path).removeprefix(MARK.encode()).lstrip()[:1] == b"[":
        return json_list(path)
    if ending in ENDINGS:
        return json_lines(path)
    raise BadData(f"{path}: files of data end in {', '.join(ENDINGS)}, or in one of these and .gz; got {path.name!r}.")


def ending_of(path: Path) -> str:
    """The ending that tells how a file is read, in lower case, without `.gz`."""
    name = path.name.lower()
    plain = Path(name.removesuffix(".gz")).suffix
    return "" if plain == ".parquet" and name.endswith(".gz") else plain


def json_lines(path: Path) -> Rows:
    """(where, object) of every line of a JSONL file, `where` naming file and line."""
    for number, raw in enumerate(_bytes(path).split(b"\n"), start=1):
        if raw.strip():
            where = f"{path}, line {number}"
            try:
                row = json.loads(raw)
            except (ValueError, RecursionError) as error:
                raise BadData(f"{where}: not a JSON object in UTF-8 ({error}). Write one object a line.") from None
            if not isinstance(row, dict):
                raise BadData(f"{where}: a row must be a JSON object; got {type(row).__name__}.")
            yield where, row


def json_list(path: Path) -> Rows:
    """(where, object) of every object of a JSON file that holds a list of them, `where` naming file and entry."""
    try:
        rows = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path}: not JSON in UTF-8 ({error}).") from None
    if not isinstance(rows, list):
        raise BadData(f"{path}: must be a list of JSON objects; got {type(rows).__name__}.")
    for number, row in enumerate(rows, start=1):
        where = f"{path}, entry {number}"
        if not isinstance(row, dict):
            raise BadData(f"{where}: must be a JSON object; got {type(row).__name__}.")
        yield where, row


def parquet_rows(path: Path) -> Rows:
    """(where, row) of every row of a parquet file, `where` naming file and row, the first row being row 1."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            content = file.read()
    except (pyarrow.ArrowException, OSError) as error:
        raise BadData(f"{path}: not a parquet file ({error}).") from None
    try:
        rows = content.to_pylist()
    except UnicodeDecodeError:
        raise BadData(_undecodable(path, content)) from None
    for number, row in enumerate(rows, start=1):
        yield f"{path}, row {number}", row


def text_lines(path: Path) -> list[str]:
    """The lines of a text file in UTF-8, without a mark of the byte order."""
    try:
        return _bytes(path).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise BadData(f"{path}: not UTF-8 ({error}).") from None


def text_of(row: dict[str, Any], name: str, where: str) -> str:
    """The field `name` as text: a non-empty string, or a number, which is written out (7.0 as 7).

    Raises:
        BadData: it is missing, empty, of another type, no finite number, one of more than `LONGEST` digits, or no valid
            Unicode.
    """
    value = row.get(name)
    number = _number_text(value)
    if number is not None:
        if len(number) > LONGEST:
            raise BadData(f"{where}, field {name!r}: a number must have at most {LONGEST} digits; got {len(number)}.")
        return number
    if not isinstance(value, str) or not _stripped(value):
        raise BadData(f"{where}, field {name!r}: must be a non-empty string or a number; got {short(value)}.")
    return _stripped(encodable(value, name, where))


def gold_of(row: dict[str, Any], name: str, where: str) -> str:
    """The field `name` as a gold answer; of a solution as GSM8K writes them (`... #### 72`) what follows the mark.

    Raises:
        BadData: as `text_of`, or nothing follows the mark.
    """
    text = text_of(row, name, where)
    before, mark, answer = text.rpartition("####")
    if mark and not answer.strip():
        raise BadData(f"{where}, field {name!r}: an answer must follow ####; got {before[-60:]!r}.")
    return answer.strip() if mark else text


def undollared(gold: str) -> str:
    """A formula without the dollar signs around it; several formulas, or a formula in a sentence, as they are."""
    for mark in ("$$", "$"):
        inner = gold.removeprefix(mark).removesuffix(mark)
        if len(inner) == len(gold) - 2 * len(mark) and "$" not in inner:
            return inner.strip()
    return gold


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


def short(value: Any) -> str:
    """A value for a message, cut to 80 characters; of a number that is too long its type."""
    try:
        return f"{value!r:.80}"
    except ValueError:  # more digits than Python writes
        return f"a long {type(value).__name__}"


def _number_text(value: Any) -> str | None:
    """A finite number written out; None of anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int):
        return (
            str(value) if value.bit_length() < 10_000 else "9" * (LONGEST + 1)
        )  # Python writes no more than 4,300 digits
    if not isfinite(value):
        return None
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _stripped(text: str) -> str:
    return text.strip().strip(MARK).strip()


def _bytes(path: Path) -> bytes:
    """What a file holds, unpacked if its name ends in `.gz`."""
    content = path.read_bytes()
    if not path.name.lower().endswith(".gz"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise BadData(f"{path}: not a gzip file ({error}).") from None


def _table_rows(path: Path, separator: str) -> Rows:
    """(where, row) of a table with a head, `where` naming file and line; an empty cell is a missing field."""
    text = "\n".join(text_lines(path))
    csv.field_size_limit(2**31 - 1)  # completions are long
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise BadData(f"{where}: must have as many cells as the head, {len(reader.fieldnames or ())}.")
            yield where, {name: value for name, value in row.items() if value != ""}
    except csv.Error as error:
        raise BadData(
            f"{path}, after line {reader.line_num}: not a table with {separator!r} between cells ({error})."
        ) from None


def _undecodable(path: Path, content: Any) -> str:
    """A message that names row and field of text in a parquet table that is not UTF-8."""
    for name in content.column_names:
        for number, cell in enumerate(content[name], start=1):
            try:
                cell.as_py()
            except UnicodeDecodeError as error:
                return f"{path}, row {number}, field {name!r}: must be valid UTF-8 ({error})."
    return f"{path}: must hold valid UTF-8."
