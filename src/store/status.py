"""What a run directory tells of its run: state, stage, step, last metrics."""

from __future__ import annotations

import csv
import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from src.store.directory import CONFIG, DONE, ERROR, LOCK, OVERRIDES, SHARED, SLURM, SPREADSHEET, STATUS, RunDirectory

IN_THE_PATH = ("+experiment=", "seed=", "scale=", "root=")  # of the overrides
ELSEWHERE = ("cluster=", "cluster.")  # of the overrides: where a run was carried out
STATES = ("failed", "running", "queued", "stopped", "finished")
SHOWN = ("accuracy", "fidelity")
ALL = "all"  # languages, in a report's table


@dataclass(frozen=True)
class RunStatus:
    """One run, as its directory tells. `age` is the time since it last wrote its status, seconds. `results` of a finished one: by
    split, its metrics over all languages."""

    directory: Path
    state: str
    stage: str
    stages: tuple[str, ...]
    step: int
    total: int
    eta: float | None
    age: float
    message: str
    overrides: tuple[str, ...] = ()
    results: dict[str, dict[str, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Everything, in values that JSON has."""
        return asdict(self) | {"directory": str(self.directory)}


def read(directory: Path) -> RunStatus:
    """The status of the run in `directory`, which holds a config.yaml."""
    import yaml

    torn = ""
    try:
        config = yaml.safe_load((directory / CONFIG).read_text(encoding="utf-8", errors="replace"))
    except yaml.YAMLError:
        config = None
    if not isinstance(config, dict):
        config = {}
        torn = f"{CONFIG} is damaged: the command that made the run writes it again"
    stages = tuple(config.get("stages") or ())
    status = _json(directory / STATUS)
    written = [path.stat().st_mtime for name in (STATUS, SLURM, CONFIG) if (path := directory / name).is_file()]
    error = directory / ERROR
    job = _json(directory / SLURM)
    state = "stopped"
    message = str(status.get("message") or "") or _last_metrics(directory)
    if stages and (directory / stages[-1] / DONE).is_file():
        state = "finished"
    elif held(directory / LOCK):
        state = "running"
    elif error.is_file():
        state = "failed"
        message = error.read_text(encoding="utf-8", errors="replace").strip()
    elif job.get("state") == "queued":
        state = "queued"
        again = int(job.get("requeues", 0))
        message = f"job {job.get('job') or '?'}" + (f", queued again {again} time{'s' * (again > 1)}" if again else "")
    elif job.get("state") == "done" and stages[-1:] and stages[-1] in SHARED:
        state = "finished"
    return RunStatus(
        directory=directory,
        state=state,
        stage=str(status.get("stage", "")).split("-")[0],
        stages=stages,
        step=int(status.get("step", 0)),
        total=int(status.get("total", 0)),
        eta=status.get("eta_seconds") if state == "running" else None,
        age=time.time() - max(written),
        message=torn or message,
        overrides=_overrides(directory / OVERRIDES),
        results=_results(directory) if state == "finished" else {},
    )


def find(root: Path) -> list[Path]:
    """The run directories under `root`, by name."""
    return sorted(path.parent for path in root.glob(f"*/*/seed*/{CONFIG}"))


def held(lock: Path) -> bool:
    """Whether a process holds the lock; False where there is none."""
    import fcntl

    try:
        with lock.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _overrides(path: Path) -> tuple[str, ...]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return tuple(line for line in lines if not line.startswith(IN_THE_PATH + ELSEWHERE))


def _results(directory: Path) -> dict[str, dict[str, float]]:
    """From the report of an evaluation; nothing where there is none, or it is damaged."""
    path = RunDirectory(directory).report / SPREADSHEET
    results: dict[str, dict[str, float]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                value = float(row["value"])
                if row["domain"] == ALL and math.isfinite(value):  # no evidence is no number
                    results.setdefault(row["split"], {})[row["metric"]] = value
    except (OSError, KeyError, ValueError, TypeError, csv.Error):
        return {}
    return results


def _last_metrics(directory: Path) -> str:
    """Of the last GRPO step, where the status does not tell."""
    path = RunDirectory(directory).metrics
    if not path.is_file():
        return ""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - 65_536))
        lines = handle.read().decode(errors="replace").strip().splitlines()
    try:
        last = json.loads(lines[-1])
    except (IndexError, ValueError):
        return ""
    return "  ".join(f"{name} {last[name]:.2f}" for name in SHOWN if name in last)
