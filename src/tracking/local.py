"""Copies of a stage's metrics on this machine: TensorBoard, Trackio.

Each is made from `metrics.jsonl`. A stage that goes on writes its copy anew, in the same place and under the same name, so that
it repeats no step and lacks none, whatever a killed process left. What fails in a copy is said once and ends nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from src.store.directory import ROLLOUT_FOLDER, RunDirectory
from src.store.rollouts import Damaged
from src.tracking.metrics_file import read_metrics
from src.tracking.shown import rollouts_shown
from src.tracking.spec import TrackingSpec
from src.tracking.wandb.state import metrics_files


class Copy(Protocol):
    """The open copy of a stage."""

    def log(self, step: int, metrics: Mapping[str, float], rollouts: list[dict[str, Any]]) -> None:
        """Metrics of a step by name, such as `grpo/accuracy/fr`; `rollouts` to show, mostly none."""

    def close(self) -> None:
        """All is written."""


class Copies:
    """The copies of a stage that `spec` asks for. No method raises for what a package does."""

    def __init__(self, folder: Path, stage: str, spec: TrackingSpec) -> None:
        """`folder`: that of the stage."""
        self.folder = folder
        self.stage = stage
        self.spec = spec
        self._open: dict[str, Copy] = {}
        for name in spec.local:
            self._contained(name, lambda name=name: self._begin(name))  # type: ignore[misc]

    def line(self, line: Mapping[str, Any]) -> None:
        """A line of `metrics.jsonl`."""
        self.values(int(line["step"]), {k: v for k, v in line.items() if k not in ("stage", "step", "time")})

    def values(self, step: int, values: Mapping[str, float]) -> None:
        """Metrics of a step; the rollouts of the step, where it has some, must be on disk."""
        from src.tracking.wandb.run import named

        def send(copy: Copy) -> None:
            try:
                shown = rollouts_shown(self.folder / ROLLOUT_FOLDER, step, self.spec)
            except Damaged:  # the numbers are there
                shown = []
            copy.log(step, {named(self.stage, name): value for name, value in values.items()}, shown)

        for name, copy in list(self._open.items()):
            self._contained(name, lambda copy=copy: send(copy))  # type: ignore[misc]

    def evaluation(self, values: Callable[[], Mapping[str, float]]) -> None:
        """What the evaluation came to, where that can be worked out."""
        for name in self.spec.local:
            self._contained(name, lambda: self.values(0, values()))

    def close(self) -> None:
        """End all copies."""
        for name, copy in list(self._open.items()):
            self._contained(name, copy.close)
        self._open = {}

    def _begin(self, name: str) -> None:
        self._open[name] = importlib.import_module(f"src.tracking.{name}_copy").begin(
            self.folder, self.stage, self.spec
        )

    def _contained(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:
            print(f"{name} stopped ({type(error).__name__}: {error}). The run goes on without it", flush=True)
            copy = self._open.pop(name, None)
            if copy is not None:
                with suppress(Exception):
                    copy.close()


def complete(
    home: Path, spec: TrackingSpec, values: Callable[[], Mapping[str, float]], shared: Iterable[Path] = ()
) -> None:
    """Copy what a finished run in `home` has and its copies lack: whole stages that ran before they were asked for, and what
    the evaluation came to (`values`). `shared`: folders of stages that it shares."""
    for name in spec.local:
        module = importlib.import_module(f"src.tracking.{name}_copy")
        alone = one(spec, name)
        for path in [file for folder in (*shared, home) for file in metrics_files(folder)]:
            if not module.exists(path.parent):
                lines = read_metrics(path)
                copies = Copies(path.parent, str(lines[0]["stage"]) if lines else path.parent.name, alone)
                for line in lines:
                    copies.line(line)
                copies.close()
        records = RunDirectory(home).records
        if records.is_file() and not module.exists(records.parent):
            copies = Copies(records.parent, "evaluate", alone)
            copies.evaluation(values)
            copies.close()


def one(spec: TrackingSpec, name: str) -> TrackingSpec:
    """The settings with `name` as the one copy."""
    return replace(spec, tensorboard=name == "tensorboard", trackio=name == "trackio")
