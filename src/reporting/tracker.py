"""Metrics of one stage: a JSON line for each step, and Weights & Biases when asked."""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from src.errors import UserError
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
        """One line.

        Raises:
            UnknownMetric: a metric has no glossary entry.
            CheckpointError: the disk is full.
        """
        from src.distributed.checkpoint import explain

        for name in metrics:
            require(name)
        line = json.dumps({"stage": self.stage, "step": step, "time": round(time.time(), 3), **metrics}) + "\n"
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise explain(error, self.path, len(line)) from error
        if self._wandb is not None:
            self._wandb.log(metrics, step=step)

    def close(self) -> None:
        """End the file and the W&B run."""
        self._file.close()
        if self._wandb is not None:
            self._wandb.finish()

    def _start(self) -> Any:
        """Online with a key that works, else offline: a job must neither stop at a login prompt nor end for want of
        a network. Steps that a resumed run repeats are the same again, so W&B may ignore them."""
        import wandb

        mode: Any = os.environ.get("WANDB_MODE")
        if not mode:
            try:
                mode = "online" if wandb.login(prompt=False) else "offline"
            except wandb.Error as error:
                mode = "offline"
                print(
                    f"W&B is offline ({error}); `wandb sync {self.directory / 'wandb'}` sends the run later", flush=True
                )
        inputs = self.directory / "inputs.json"  # what the stage's result depends on
        name = self.directory.name
        return wandb.init(
            project=self.spec.project,
            id=self._identity(),
            name=f"{self.directory.parent.parent.name}-{self.directory.parent.name}-{name}",
            config=json.loads(inputs.read_text(encoding="utf-8")) if inputs.is_file() else {},
            resume="allow",
            mode=mode,
            dir=str(self.directory),
            settings=wandb.Settings(silent=True),
        )

    def _identity(self) -> str:
        """The W&B id of this folder, made once: a resumed stage goes on with its run, a stage that is done anew in
        an emptied folder gets another."""
        from src.distributed.checkpoint import replace_durably

        path = self.directory / "wandb-id.txt"
        if not path.is_file():
            replace_durably(path, uuid.uuid4().hex[:12].encode())
        return path.read_text(encoding="utf-8").strip()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file; a torn last line is left out, none at all if there is no file.

    Raises:
        UserError: another line than the last is not JSON.
    """
    if not path.is_file():
        return []
    found = []
    lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            found.append(json.loads(line))
        except ValueError as error:
            if number < len(lines):
                raise UserError(
                    f"{path}, line {number}: every line but the last must be JSON ({error}). Delete the line, or the "
                    f"folder {path.parent} to run the stage again"
                ) from error
    return found
