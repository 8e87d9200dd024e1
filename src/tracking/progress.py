"""Progress of long work: a bar with ETA on a terminal, a line now and then elsewhere, and a file for launchers."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from src.common.console import clock
from src.store.directory import STATUS

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

# Seconds between two lines, two states of the file, and two states of the bar.
LINE_EVERY = 10.0
FILE_EVERY = 0.5
BAR_EVERY = 0.1


def bars() -> RichProgress:
    """Bars with a description and `text` on a terminal's standard error, and nothing elsewhere. They are drawn when they
    are updated with `refresh`: no thread draws them, which a process that forks would mind."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[text]}", markup=False),
        console=Console(stderr=True),
        auto_refresh=False,
        redirect_stdout=sys.stdout.isatty(),
        disable=not sys.stderr.isatty(),
    )


def left(eta_seconds: float | None) -> str:
    """`, 1:02:03 left`; empty where it is not known."""
    return "" if eta_seconds is None else f", {clock(eta_seconds)} left"


class Progress:
    """Counts `unit`s up to `total`, having begun at `start`. `ADAMAME_PROGRESS=off` keeps it silent.

    Stage, step, total, eta_seconds and message always go to `directory/status.json`, or to the file that
    `ADAMAME_STATUS` names (`python -m src launch` does, to follow several runs).
    """

    def __init__(self, total: int, description: str, unit: str, start: int, directory: Path) -> None:
        self.total = total
        self.description = description
        self.unit = unit
        self.start = start
        self.done = start
        self.began = time.monotonic()
        self.printed = self.began
        self.drawn = 0.0
        self.written = 0.0
        self.stage = directory.name
        self.path = Path(os.environ.get("ADAMAME_STATUS") or directory / STATUS)
        self.quiet = os.environ.get("ADAMAME_PROGRESS") == "off"
        self.bars: RichProgress | None = None
        if not self.quiet and sys.stderr.isatty():
            self.bars = bars()
            self.bar = self.bars.add_task(description, total=total, completed=start, text="")

    def __enter__(self) -> Progress:
        if self.bars is not None:
            self.bars.start()
        self.advance(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("", force=True)
        if self.bars is not None:
            self.bars.stop()

    @property
    def eta_seconds(self) -> float | None:
        """Seconds left at the pace so far; None before the first unit is done."""
        fresh = self.done - self.start
        return (time.monotonic() - self.began) / fresh * (self.total - self.done) if fresh else None

    def advance(self, count: int = 1, note: str = "") -> None:
        """`count` more units are done; `note` says how it goes."""
        self.done = min(self.total, self.done + count)
        if self.bars is not None:
            text = f"{self.done}/{self.total} {self.unit}{left(self.eta_seconds)}  {note}"
            draw = time.monotonic() - self.drawn > BAR_EVERY or self.done == self.total
            if draw:
                self.drawn = time.monotonic()
            self.bars.update(self.bar, completed=self.done, text=text, refresh=draw)
        elif not self.quiet and (time.monotonic() - self.printed > LINE_EVERY or self.done == self.total):
            self.printed = time.monotonic()
            eta = self.eta_seconds
            seconds_left = "" if eta is None else f", {eta:.0f} s left"
            print(f"{self.description}: {self.done}/{self.total} {self.unit}{seconds_left}  {note}", flush=True)
        self._write(note)

    def _write(self, note: str, force: bool = False) -> None:
        if not force and time.monotonic() - self.written < FILE_EVERY and self.done < self.total:
            return
        self.written = time.monotonic()
        temporary = self.path.with_suffix(".partial")
        state = {
            "stage": self.stage,
            "step": self.done,
            "total": self.total,
            "eta_seconds": self.eta_seconds,
            "message": note,
        }
        with suppress(OSError):  # on a full disk the checkpoint says so; a progress bar ends no run
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(state), encoding="utf-8")
            temporary.replace(self.path)
