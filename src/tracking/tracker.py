"""Metrics of one stage: a JSON line for each step, and copies in Weights & Biases, TensorBoard or Trackio when asked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.console import note
from src.store.directory import METRICS
from src.store.whole import gaps
from src.tracking.glossary import require
from src.tracking.metrics_file import read_metrics
from src.tracking.spec import TrackingSpec

if TYPE_CHECKING:
    from src.tracking.local import Copies
    from src.tracking.wandb.run import WandbRun


class Tracker:
    """Writes `<directory>/metrics.jsonl`. Call `resume` first, `close` last; only the main rank holds one."""

    def __init__(
        self, directory: Path, stage: str, spec: TrackingSpec, home: Path | None = None, last: bool = True
    ) -> None:
        """`home`: the run directory whose W&B run the stage goes on with; without one, it has its own in `directory`.
        `last`: no other stage of that run comes."""
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / METRICS
        self.stage = stage
        self.spec = spec
        self.directory = directory
        self.home = home
        self.last = last
        self._wandb: WandbRun | None = None
        self._local: Copies | None = None

    def resume(self, step: int) -> None:
        """Drop lines after `step`, and a last line torn by a crash: they will be written again. W&B gets those up to
        `step` that it lacks."""
        from src.common.files import replace_durably

        lines = read_metrics(self.path)
        kept = [line for line in lines if line["step"] <= step]
        if lost := gaps([line["step"] for line in kept], step):
            note(
                f"{self.path} lacks the steps {lost}: a file of this history was lost or damaged; the training goes on whole"
            )
        replace_durably(self.path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        if self.spec.wandb:
            from src.tracking.wandb.run import WandbRun

            self._wandb = WandbRun(
                self.home or self.directory,
                self.stage,
                self.spec,
                shared=self.home is None,
                last=self.last,
                anew=not lines,
            )
        if self.spec.local:
            from src.tracking.local import Copies

            self._local = Copies(self.directory, self.stage, self.spec)
        for line in kept:
            self._copy(line)
        self._file = self.path.open("a", encoding="utf-8")

    def log(self, step: int, metrics: dict[str, float]) -> None:
        """One line. The rollouts of the step, where it has some, must be on disk: W&B gets a table of them.

        Raises:
            UnknownMetric: a metric has no glossary entry.
            CheckpointError: the disk is full.
        """
        from src.common.files import explain

        for name in metrics:
            require(name)
        line = {"stage": self.stage, "step": step, "time": round(time.time(), 3), **metrics}
        text = json.dumps(line) + "\n"
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            raise explain(error, self.path, len(text)) from error
        self._copy(line)

    def close(self) -> None:
        """End the file, this stage's part of the W&B run, and its other copies."""
        self._file.close()
        if self._local is not None:
            self._local.close()
        if self._wandb is not None:
            self._wandb.close()

    def _copy(self, line: dict[str, Any]) -> None:
        if self._wandb is not None:
            from src.tracking.wandb.backfill import send_line

            send_line(self._wandb, self.directory, line)
        if self._local is not None:
            self._local.line(line)
