"""How the runs of a set are doing, on the screen: bars in a terminal, else a line now and then."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.common.console import clock
from src.orchestration.jobs import Job, Task
from src.store.directory import STATUS
from src.tracking.progress import bars, left

LINE_EVERY = 15.0  # seconds, where there is no terminal


class Bars:
    """Progress of all runs: one overall bar with ETA, and the stage of each run at work. Use as a context manager."""

    def __init__(self, count: int) -> None:
        self.began = time.time()
        self.printed = 0.0
        self.count = count
        self.done = 0
        self.terminal = sys.stderr.isatty()
        self.bars = bars()
        self.overall = self.bars.add_task("runs", total=self.count, text="")
        self.lines: dict[Path, Any] = {}  # run directory -> its bar

    def __enter__(self) -> Bars:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def finished(self, task: Task, good: bool) -> None:
        """One run has ended."""
        self._tell("finished" if good else "FAILED", task)

    def left_out(self, task: Task) -> None:
        """One run is not started."""
        self._tell("left out", task)

    def show(self, running: Sequence[Job]) -> None:
        """How all are doing: bars at once, a line now and then."""
        if self.terminal:
            self._draw(running)
        elif time.time() - self.printed > LINE_EVERY:
            self.printed = time.time()
            print(f"{self._clock()} " + " | ".join(map(self._text, running)), flush=True)

    def _tell(self, state: str, task: Task) -> None:
        self.done += 1
        if not self.terminal:
            print(f"{self._clock()} {state} {task.name} seed {task.seed} ({self.done}/{self.count})", flush=True)

    def _draw(self, running: Sequence[Job]) -> None:
        for directory in [*self.lines]:
            if directory not in [job.directory for job in running]:
                self.bars.remove_task(self.lines.pop(directory))
        for job in running:
            if job.directory not in self.lines:
                self.lines[job.directory] = self.bars.add_task(f"{job.name} seed {job.seed}", text="")
            status = self._status(job)
            bar = self.lines[job.directory]
            step = status.get("step", 0)
            self.bars.update(bar, completed=step, total=status.get("total", 1), text=_where(status))
        eta = (time.time() - self.began) / self.done * (self.count - self.done) if self.done else None
        text = f"{self.done}/{self.count}{left(eta)}"
        self.bars.update(self.overall, completed=self.done, text=text, refresh=True)

    def _status(self, job: Job) -> dict[str, Any]:
        """What the run wrote since it was started; nothing before it has."""
        path = job.directory / STATUS
        if not path.is_file() or path.stat().st_mtime < self.began:
            return {}
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def _text(self, job: Job) -> str:
        return f"{job.name} seed {job.seed}: {_where(self._status(job))}"

    def _clock(self) -> str:
        return f"[{clock(time.time() - self.began)}]"


def _where(status: Mapping[str, Any]) -> str:
    """Stage, step, time left and last metrics of a run."""
    if not status:
        return "starting"
    place = f"{status['stage'].split('-')[0]} {status['step']}/{status['total']}{left(status.get('eta_seconds'))}"
    return f"{place}  {status.get('message', '')}".rstrip()
