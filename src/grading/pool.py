"""Worker processes that may be killed: hostile input costs its own time limit and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0  # importing sympy on a loaded machine
# A worker keeps its own time, that of the processor, so that neither load nor a suspended job moves a verdict. The parent
# steps in where a worker does not even get to that: after so many times the limit and these seconds.
PATIENCE, GRACE = 20, 30.0


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    task: int | None = None
    deadline: float = 0.0
    ready: bool = False
    buffer: bytes = b""


@dataclass
class Pool:
    """Up to `size` workers, started when first needed, each task with its own `timeout` in seconds of processor time."""

    size: int
    timeout: float
    megabytes: int
    packages: str | None = None
    workers: list[_Worker] = field(default_factory=list)
    _again: set[int] = field(default_factory=set)  # tasks whose worker came to nothing once

    def run(self, tasks: Sequence[tuple[str, ...]]) -> list[str]:
        """The status word of every (gold, answer, language, kind), in order. A worker whose time is up
        ends (`timeout`); one that dies by itself, out of memory for example, answers `error`."""
        results = [""] * len(tasks)
        waiting = deque(range(len(tasks)))
        self._again = set[int]()
        for worker in [worker for worker in self.workers if worker.process.poll() is not None]:
            self._end(worker)  # it died idle: no task of these is to blame
            self.workers.remove(worker)
        try:
            while waiting or any(worker.task is not None for worker in self.workers):
                self._assign(tasks, waiting)
                self._collect(results, waiting)
        except BaseException:  # what a worker is at belongs to these tasks, not to the next ones
            self.close()
            raise
        return results

    def close(self) -> None:
        """End all workers."""
        for worker in self.workers:
            self._end(worker)
        self.workers = []

    def _assign(self, tasks: Sequence[tuple[str, ...]], waiting: deque[int]) -> None:
        while len(self.workers) < min(self.size, len(tasks)):
            self.workers.append(self._start())
        for worker in self.workers:
            if waiting and worker.ready and worker.task is None:
                worker.task = waiting.popleft()
                worker.deadline = time.monotonic() + PATIENCE * self.timeout + GRACE
                try:
                    assert worker.process.stdin is not None
                    worker.process.stdin.write(json.dumps(tasks[worker.task]).encode() + b"\n")
                    worker.process.stdin.flush()
                except OSError:  # it died between two tasks: seen as end of file below
                    pass

    def _collect(self, results: list[str], waiting: deque[int]) -> None:
        now = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for worker in self.workers:
                assert worker.process.stdout is not None
                selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
            soonest = min(worker.deadline for worker in self.workers if not worker.ready or worker.task is not None)
            events = selector.select(max(0.0, soonest - now))
        for key, _ in events:
            worker = key.data
            received = os.read(key.fd, 4096)
            if not received:
                ended = worker.process.wait()
                self._replace(worker, results, "timeout" if ended == -signal.SIGPROF else "error")
                continue
            worker.buffer += received
            if worker.buffer.endswith(b"\n"):
                word = json.loads(worker.buffer)
                worker.buffer = b""
                full = isinstance(word, list)
                if worker.ready and worker.task is not None:
                    results[worker.task] = word[0] if full else word
                    worker.task = None
                worker.ready = True
                if full:  # another is started when there is a task for it
                    self._end(worker)
                    self.workers.remove(worker)
        for worker in list(self.workers):
            late = time.monotonic() > worker.deadline
            if late and (worker.task is not None or not worker.ready):
                if worker.task is not None and worker.task not in self._again:  # the job may have been suspended
                    self._again.add(worker.task)
                    waiting.append(worker.task)
                    worker.task = None
                self._replace(worker, results, "timeout")

    def _replace(self, worker: _Worker, results: list[str], status: str) -> None:
        never_ready = not worker.ready
        if worker.task is not None:
            results[worker.task] = status
        self._end(worker)
        self.workers.remove(worker)
        if never_ready:
            raise RuntimeError(
                "a grading worker could not start: `python -m src.grading.worker` must import math-verify within "
                f"{START_SECONDS:.0f} s and {self.megabytes} MB. Raise grader.memory_megabytes or repair the installation"
            )
        self.workers.append(self._start())

    def _start(self) -> _Worker:
        process = subprocess.Popen(
            [sys.executable, "-m", "src.grading.worker", str(self.megabytes), str(self.timeout), self.packages or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            # The order of sets, which sympy's rules may depend on, is the same in every worker.
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        return _Worker(process, deadline=time.monotonic() + START_SECONDS)

    @staticmethod
    def _end(worker: _Worker) -> None:
        worker.process.kill()
        worker.process.wait()
        for stream in (worker.process.stdin, worker.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was left in the buffer has no reader any more
                    stream.close()
