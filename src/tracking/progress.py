"""Progress of long work: a bar with ETA on a terminal, a line now and then elsewhere, and a file for launchers."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

LINE_EVERY, FILE_EVERY = 10.0, 0.5  # seconds


class Progress:
    """Counts `unit`s up to `total`, having begun at `start`. `ADAMAME_PROGRESS=off` keeps it silent.

    Stage, step, total, eta_seconds and message always go to `directory/status.json`, or to the file that
    `ADAMAME_STATUS` names (`src.orchestration.suite` does, to follow several runs).
    """

    def __init__(self, total: int, description: str, unit: str, start: int, directory: Path) -> None:
        self.total, self.description, self.unit, self.done, self.start = total, description, unit, start, start
        self.began = self.printed = time.monotonic()
        self.written = 0.0
        self.stage = directory.name
        self.path = Path(os.environ.get("ADAMAME_STATUS") or directory / "status.json")
        self.quiet = os.environ.get("ADAMAME_PROGRESS") == "off"
        self.bar = None
        if not self.quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=total, initial=start, desc=description, unit=unit, dynamic_ncols=True)

    def __enter__(self) -> Progress:
        self.advance(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("", force=True)
        if self.bar is not None:
            self.bar.close()

    @property
    def eta_seconds(self) -> float | None:
        """Seconds left at the pace so far; None before the first unit is done."""
        fresh = self.done - self.start
        return (time.monotonic() - self.began) / fresh * (self.total - self.done) if fresh else None

    def advance(self, count: int = 1, note: str = "") -> None:
        """`count` more units are done; `note` says how it goes."""
        self.done = min(self.total, self.done + count)
        if self.bar is not None:
            self.bar.set_postfix_str(note, refresh=False)
            self.bar.update(count)
        elif not self.quiet and (time.monotonic() - self.printed > LINE_EVERY or self.done == self.total):
            self.printed = time.monotonic()
            eta = self.eta_seconds
            left = "" if eta is None else f", {eta:.0f} s left"
            print(f"{self.description}: {self.done}/{self.total} {self.unit}{left}  {note}", flush=True)
        self._write(note)

    def _write(self, note: str, force: bool = False) -> None:
        if not force and time.monotonic() - self.written < FILE_EVERY and self.done < self.total:
            return
        self.written = time.monotonic()
        temporary = self.path.with_suffix(".partial")
        state = {
            "stage": self.stage, "step": self.done, "total": self.total,
            "eta_seconds": self.eta_seconds, "message": note,
        }  # fmt: skip
        with suppress(OSError):  # on a full disk the checkpoint says so; a progress bar ends no run
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(state), encoding="utf-8")
            temporary.replace(self.path)
