"""The trials of a sweep: what was asked for is kept in `trials.jsonl`, what came of it lies in the run directories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from src.common.checksums import note_checksum, noted_damage
from src.common.errors import UserError
from src.config.stages import MEASURED
from src.orchestration.sweep.file import Sweep
from src.store.directory import SWEEP, TRIALS, RunDirectory
from src.store.status import read as run_status


@dataclass(frozen=True)
class Trial:
    """One point of the search space and its run. `stopped_at`: how many values it had when it was stopped early (0: it was
    not). `error`: why it has no run, where its configuration is refused."""

    number: int
    point: dict[str, Any]
    overrides: tuple[str, ...]  # of the run, all of them
    directory: Path
    stopped_at: int = 0
    error: str = ""

    @property
    def metrics(self) -> Path:
        """What was measured after the steps of the run."""
        return RunDirectory(self.directory).metrics

    @property
    def finished(self) -> bool:
        return RunDirectory(self.directory).config.is_file() and run_status(self.directory).state == "finished"


@dataclass(frozen=True)
class Ledger:
    """The folder of a sweep: `<root>/<scale>/_sweep-<name>`."""

    folder: Path

    def open(self, sweep: Sweep, fixed: Sequence[str], seed: int) -> list[Trial]:
        """The trials so far; none of a new sweep.

        Raises:
            UserError: the folder holds the trials of a sweep with other settings.
        """
        identity = sweep.identity() | {"fixed": list(fixed), "seed": seed}
        held = self.folder / SWEEP
        if held.is_file():
            there = _read(held)[0]
            if other := [key for key in identity if there.get(key) != identity[key]]:
                raise UserError(
                    f"{self.folder} holds the trials of another sweep; other there: {', '.join(other)}. Give the sweep file "
                    "another name, or delete the folder (its runs stay, and are found again)"
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(held, json.dumps(identity, indent=1) + "\n")
        path = self.folder / TRIALS
        if not path.is_file():
            return []
        return [
            Trial(**row | {"overrides": tuple(row["overrides"]), "directory": Path(row["directory"])})
            for row in _read(path)
        ]

    def save(self, trials: Sequence[Trial]) -> None:
        """Replace what is kept, whole or not at all."""
        lines = (json.dumps(asdict(t) | {"directory": str(t.directory)}, ensure_ascii=False) for t in trials)
        _replace(self.folder / TRIALS, "".join(f"{line}\n" for line in lines))


def size_of(trial: Trial) -> int:
    """Of the file that `measured` reads, bytes; 0 where there is none."""
    return trial.metrics.stat().st_size if trial.metrics.is_file() else 0


def measured(trial: Trial) -> list[dict[str, float]]:
    """`<split>/<metric>` after some of the steps of the run, in their order (`evaluation.every`)."""
    from src.tracking.metrics_file import read_metrics

    lines = read_metrics(trial.metrics)
    rows = [{name: line[name] for name in line if name.partition("/")[2] in MEASURED} for line in lines]
    return [values for values in rows if values]


def values_of(trial: Trial, metric: str) -> list[float]:
    """What `metric` was on the way."""
    return [values[metric] for values in measured(trial) if metric in values]


def results_of(trial: Trial) -> dict[str, float]:
    """`<split>/<metric>` of a finished run's evaluation; of a trial that was stopped early the last ones on the way, or
    nothing."""
    if trial.finished:
        from omegaconf import OmegaConf

        from src.analysis.run_values import run_values

        paths = RunDirectory(trial.directory)
        config: Any = OmegaConf.load(paths.config)
        return run_values(paths.records, int(config.rollout.maximum_new_tokens), dict(config.benchmark.weights))
    if trial.stopped_at:
        rows = measured(trial)
        return rows[trial.stopped_at - 1] if len(rows) >= trial.stopped_at else {}
    return {}


def error_of(trial: Trial, metric: str) -> str:
    """Why a trial has no value of `metric`: the last line of what its run or its configuration failed with."""
    message = trial.error
    if not message and RunDirectory(trial.directory).config.is_file():
        status = run_status(trial.directory)
        if status.state == "finished":
            return f"the run has no value of {metric}: it is not a number there"
        message = status.message if status.state == "failed" else ""
    return (message.strip().splitlines() or ["it left no error behind; its log tells what it said last"])[-1]


def _replace(path: Path, text: str) -> None:
    from src.common.files import replace_durably

    replace_durably(path, text.encode())
    note_checksum(path)


def _read(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of ours, one a line, or one in all.

    Raises:
        UserError: it is damaged.
    """
    wrong = noted_damage(path)
    if wrong is None:
        try:
            text = path.read_text(encoding="utf-8")
            lines = text.splitlines() if path.name == TRIALS else [text]
            return [dict(json.loads(line)) for line in lines]
        except (ValueError, TypeError) as error:
            wrong = f"{path} is damaged ({error})"
    raise UserError(
        f"{wrong}. Delete the folder {path.parent} to start the search anew: its runs stay, and are found again"
    )
