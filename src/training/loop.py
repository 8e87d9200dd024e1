"""What every training loop does beside training: resume, log, save, show progress.

with Loop(stage, learner, steps) as loop:
    for step in loop:
        ...
        loop.log(metrics, note)
        loop.save()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from src.common.console import note
from src.pipeline.stage import Stage
from src.store.directory import ROLLOUT_FOLDER
from src.store.records import Row
from src.store.rollouts import steps_of, truncate_rollouts, write_rollouts
from src.store.whole import gaps
from src.tracking.tracker import Tracker
from src.training.learner import Learner


class Loop:
    """The steps of a stage that are left. Use as a context manager, on every rank.

    `extra` is what the last checkpoint held beside weights and optimiser. Steps count from 0; a step that is logged or
    saved is finished, and so counts from 1 in files.
    """

    def __init__(self, stage: Stage, learner: Learner, steps: int) -> None:
        self.stage = stage
        self.learner = learner
        self.steps = steps
        self.start, self.extra = stage.checkpoints.restore(learner, print if stage.ranks.main else _silent)
        self.tracker: Tracker | None = None
        self.step = self.start
        self._note = ""
        self._advance: Callable[..., None] = lambda *_: None
        self._open = ExitStack()

    @property
    def writes(self) -> bool:
        """Whether this rank logs; the others need not make metrics."""
        return self.stage.ranks.main

    def __enter__(self) -> Loop:
        self.tracker = self.stage.tracker()
        if self.tracker:
            self.tracker.resume(self.start)
            truncate_rollouts(self.stage.directory / ROLLOUT_FOLDER, self.start)
            there = steps_of(self.stage.directory / ROLLOUT_FOLDER)
            if there and (lost := gaps(there, self.start)):
                note(f"{self.stage.directory / ROLLOUT_FOLDER} lacks the rollouts of the steps {lost}: files were lost")
        self._advance = self._open.enter_context(self.stage.progress(self.steps, "step", self.start))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
        if self.tracker and error is None:
            self.tracker.close()

    def __iter__(self) -> Iterator[int]:
        for step in range(self.start, self.steps):
            self.step = step
            yield step

    def log(self, metrics: Mapping[str, float], note: str, rows: Sequence[Row] = (), parts: Sequence[str] = ()) -> None:
        """Log the step that is under way: its metrics, and its rollouts (`rows`, of a reward with `parts`); `note` stands
        beside the bar. On ranks that do not write, nothing."""
        if self.tracker:
            if rows:
                write_rollouts(self.stage.directory / ROLLOUT_FOLDER, self.step + 1, rows, parts)
            self.tracker.log(self.step + 1, dict(metrics))
            self._note = note

    def save(self, extra: dict[str, Any] | None = None) -> None:
        """End the step that is under way: a checkpoint when one is due. Every rank must call this."""
        if self.stage.config.checkpoint.due(self.step + 1, self.steps):
            state = self.learner.state()
            if self.writes:
                self.stage.checkpoints.save(self.step + 1, state, extra)
        self._advance(1, self._note)


def _silent(text: str) -> None:
    """What the main rank says, the others need not."""
