"""Rows packed for a page: columns that are small enough to be there at once, and texts in blocks that are unpacked when seen.

A pack is JSON, deflated and written in base64, so that no text of a model stands in the page as it is.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

ROWS, CHARACTERS = 256, 400_000  # a block ends with the row that brings it to one of these
DIGITS = 6  # significant digits of numbers
LEVEL = 4  # of deflate: three times as fast as 6, and hardly larger


def packed(content: Any) -> str:
    """Any JSON as a pack."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(errors="backslashreplace"), LEVEL)).decode()


class Columns:
    """Values of rows by column, each different value written once where they recur."""

    def __init__(self, names: Sequence[str]) -> None:
        self.rows = 0
        self._codes: dict[str, list[int]] = {name: [] for name in names}
        self._values: dict[str, dict[Hashable, int]] = {name: {} for name in names}

    def add(self, row: Mapping[str, Hashable]) -> None:
        """A row; a column that it lacks is null."""
        self.rows += 1
        for name, codes in self._codes.items():
            values = self._values[name]
            codes.append(values.setdefault(row.get(name), len(values)))

    def content(self) -> dict[str, dict[str, list[Any]]]:
        """By name either `values` and the place in them (`codes`) of each row, or the value of each row (`list`)."""
        return {name: self._column(name) for name in self._codes}

    def _column(self, name: str) -> dict[str, list[Any]]:
        codes, values = self._codes[name], [_json(value) for value in self._values[name]]
        if 2 * len(values) > len(codes) > 1:
            return {"list": [values[code] for code in codes]}
        return {"values": values, "codes": codes}


class Blocks:
    """The texts of rows, in packs of a few hundred; the questions, which recur, once in each."""

    def __init__(self) -> None:
        self.packs: list[str] = []
        self.starts: list[int] = []  # the first row of each pack
        self._added = 0
        self._begin()

    def add(self, question: str, texts: Sequence[Any]) -> None:
        """The question and the other texts of the next row."""
        if not self._rows:
            self.starts.append(self._added)
        if question not in self._questions:
            self._characters += len(question)
        place = self._questions.setdefault(question, len(self._questions))
        self._rows.append([place, *texts])
        self._characters += sum(map(_length, texts))
        self._added += 1
        if len(self._rows) >= ROWS or self._characters >= CHARACTERS:
            self.finish()

    def finish(self) -> None:
        """Pack what is left; to be called after the last row."""
        if self._rows:
            self.packs.append(packed({"questions": list(self._questions), "rows": self._rows}))
        self._begin()

    def _begin(self) -> None:
        self._rows: list[list[Any]] = []
        self._questions: dict[str, int] = {}
        self._characters = 0


def _json(value: Any) -> Any:
    """A value as JSON has it: numbers shortened, and those that are not finite as text."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else str(value)
    return value


def _length(text: Any) -> int:
    return sum(map(_length, text)) if isinstance(text, list) else len(text or "")
