"""Runs side by side, each in a process group of its own: local ones, or such as wait for their SLURM job.

No run is left behind: `Pool` ends them when it is left, and the system kills a run whose pool was killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.distributed.spawn import PARENT
from src.store.directory import LOG

GRACE_S = 10.0  # between being asked to end and being killed


class Pool:
    """What is running, by number. Use as a context manager: no process is left running at its end; jobs of SLURM go on,
    as those of any run do whose command is interrupted."""

    def __init__(self) -> None:
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._directories: dict[int, Path] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(list(self._processes), jobs=False)

    @property
    def running(self) -> list[int]:
        return list(self._processes)

    def start(
        self, number: int, overrides: Sequence[str], directory: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """`python -m src.run` with the overrides and, beside this process's, the variables in `environment`; its output
        goes to `<directory>/log.txt`."""
        directory.mkdir(parents=True, exist_ok=True)
        own = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", PARENT: str(os.getpid())}
        with (directory / LOG).open("ab") as log:
            self._processes[number] = subprocess.Popen(
                [sys.executable, "-m", "src.run", *overrides],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **own, **(environment or {})},
                start_new_session=True,
            )
        self._directories[number] = directory

    def ended(self) -> dict[int, bool]:
        """Number -> whether it went well, of those that have ended since this was last asked."""
        codes = {number: process.poll() for number, process in self._processes.items()}
        ended = {number: code == 0 for number, code in codes.items() if code is not None}
        for number in ended:
            self._forget(number)
        return ended

    def stop(self, numbers: Sequence[int], jobs: bool = True) -> None:
        """End these runs, with all their processes and `jobs`, and wait until they have. A second Ctrl-C ends the wait."""
        try:
            for number in numbers:
                if jobs:
                    _cancel(self._directories[number])
                _signal(self._processes[number], signal.SIGTERM)
            limit = time.monotonic() + GRACE_S
            for number in numbers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._processes[number].wait(max(0.1, limit - time.monotonic()))
        finally:
            for number in numbers:
                _signal(self._processes[number], signal.SIGKILL)  # and what is left of its group
            for number in numbers:
                self._processes[number].wait()
                self._forget(number)

    def _forget(self, number: int) -> None:
        del self._processes[number], self._directories[number]


def end_as_interrupted() -> None:
    """Take SIGTERM as Ctrl-C from now on: no run outlives the command that started it."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _cancel(directory: Path) -> None:
    """Take the SLURM job of a run out of the queue, where it has one."""
    from src.orchestration.cluster import record

    job = record.read(directory)
    if job and job.job and job.state in ("queued", "running") and shutil.which("scancel"):
        subprocess.run(["scancel", job.job], check=False, capture_output=True, timeout=60)
