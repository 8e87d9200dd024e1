"""Answers of a service on disk, a line each: nothing is paid for twice, and a step that is repeated finds what it found."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from src.common.checksums import is_whole, sealed
from src.common.console import note
from src.common.files import end_with_a_line

VALUE, STEP, KEY, REASON = "value", "step", "key", "reason"


class Cache:
    """What is known, by key, from all files of a folder; what is new is added to the file of one process.

    An answer holds for all steps. That there was none holds for the step that asked: a later one asks again.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        """`writer` names the file of this process, such as its rank."""
        folder.mkdir(parents=True, exist_ok=True)
        own = folder / f"{writer}.jsonl"
        end_with_a_line(own)
        self._answers: dict[str, tuple[Any, int]] = {}
        self._failures: set[tuple[str, int]] = set()
        for path in sorted(folder.glob("*.jsonl")):
            for number, line in enumerate(path.read_bytes().splitlines(), start=1):
                if (row := _row(line)) is not None:
                    self._take(row)
                elif path == own:
                    note(f"{path}:{number} is damaged: its answer counts as not there, and is asked for again")
        self._handle = own.open("ab")

    def failed(self, key: str, step: int) -> bool:
        """Whether `step` asked and had no answer."""
        return (key, step) in self._failures

    def answer(self, key: str) -> tuple[Any, int] | None:
        """The answer and the step that it was first given to; None where there is none."""
        return self._answers.get(key)

    def add(self, key: str, value: Any, step: int) -> None:
        """Keep an answer; it is on disk when this returns."""
        self._write({KEY: key, VALUE: value, STEP: step})

    def add_failure(self, key: str, reason: str, step: int) -> None:
        """Keep that `step` had no answer."""
        self._write({KEY: key, VALUE: None, STEP: step, REASON: reason[:200]})

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def _write(self, row: dict[str, Any]) -> None:
        clean = json.loads(json.dumps(row, ensure_ascii=False).encode(errors="replace"))
        self._handle.write(json.dumps(sealed(clean), ensure_ascii=False).encode() + b"\n")
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self._take(row)

    def _take(self, row: dict[str, Any]) -> None:
        if row[VALUE] is None:
            self._failures.add((row[KEY], row[STEP]))
        else:
            known = self._answers.get(row[KEY])
            if known is None or row[STEP] < known[1]:
                self._answers[row[KEY]] = (row[VALUE], row[STEP])


def key_of(*parts: object) -> str:
    """A key that depends on all `parts`, plain values, and on nothing else."""
    content = json.dumps(parts, sort_keys=True, default=str).encode()
    return hashlib.sha256(content).hexdigest()[:24]


def _row(line: bytes) -> dict[str, Any] | None:
    """The row of a line; None where the line is damaged, or another process is still writing it."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(row, dict) and {KEY, VALUE, STEP} <= row.keys() and is_whole(row)
    return row if whole else None
