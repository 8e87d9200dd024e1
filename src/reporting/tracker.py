"""Metrics of one stage: a JSON line for each step, and Weights & Biases when asked."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from src.reporting.glossary import require
from src.reporting.spec import TrackingSpec


class Tracker:
    """Writes `<directory>/metrics.jsonl`. Call `resume` first, `close` last; only the main rank holds one."""

    def __init__(self, directory: Path, stage: str, spec: TrackingSpec) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path, self.stage, self.spec, self.directory = directory / "metrics.jsonl", stage, spec, directory
        self._wandb: Any = None

    def resume(self, step: int) -> None:
        """Drop lines after `step`, and a last line torn by a crash: they will be written again."""
        from src.distributed.checkpoint import replace_durably

        kept = [line for line in read_metrics(self.path) if line["step"] <= step]
        replace_durably(self.path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        if self.spec.wandb:
            self._wandb = self._start()
        self._file = self.path.open("a", encoding="utf-8")

    def log(self, step: int, metrics: dict[str, float]) -> None:
        """One line. Raises `UnknownMetric` for a metric without a glossary entry."""
        for name in metrics:
            require(name)
        self._file.write(
            json.dumps({"stage": self.stage, "step": step, "time": round(time.time(), 3), **metrics}) + "\n"
        )
        self._file.flush()
        if self._wandb is not None:
            self._wandb.log(metrics, step=step)

    def close(self) -> None:
        """End the file and the W&B run."""
        self._file.close()
        if self._wandb is not None:
            self._wandb.finish()

    def _start(self) -> Any:
        """Online with a key, offline without: a job must never stop at a login prompt."""
        import wandb

        mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
        name = self.directory.name
        return wandb.init(
            project=self.spec.project,
            id=str(self.directory).replace("/", "-")[-120:],
            name=f"{self.directory.parent.parent.name}-{self.directory.parent.name}-{name}",
            resume="allow",
            mode=mode,
            dir=str(self.directory),
            settings=wandb.Settings(silent=True),
        )


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file; a torn last line is left out, none at all if there is no file."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
