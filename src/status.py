"""Every run under a root: `python -m src.status [runs]`. Reads run directories and nothing else.

A run is running while its process holds the lock of its directory (on any machine that shares the file system),
finished when its last stage is, failed when it left an error, queued when it says so of its SLURM job, and else stopped:
its command resumes it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.stages.spec import SHARED

LOCK, STATUS, ERROR, OVERRIDES = ".run.lock", "status.json", "error.txt", "overrides.txt"
SLURM, LOG = "slurm.json", "log.txt"
IN_THE_PATH = ("+experiment=", "seed=", "scale=", "root=")  # of the overrides
ELSEWHERE = ("cluster=", "cluster.")  # of the overrides: where a run was carried out
STATES = ("failed", "running", "queued", "stopped", "finished")
METRICS = ("accuracy", "fidelity")


@dataclass(frozen=True)
class RunStatus:
    """One run, as its directory tells. `age` is the time since it last wrote its status, seconds."""

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


def read(directory: Path) -> RunStatus:
    """The status of the run in `directory`, which holds a config.yaml."""
    import yaml

    config = yaml.safe_load((directory / "config.yaml").read_text(encoding="utf-8")) or {}
    stages = tuple(config.get("stages") or ())
    status = _json(directory / STATUS)
    written = [path.stat().st_mtime for name in (STATUS, SLURM, "config.yaml") if (path := directory / name).is_file()]
    error, job, state = directory / ERROR, _json(directory / SLURM), "stopped"
    message = str(status.get("message") or "") or _last_metrics(directory)
    if stages and (directory / stages[-1] / "done.json").is_file():
        state = "finished"
    elif held(directory / LOCK):
        state = "running"
    elif error.is_file():
        state, message = "failed", error.read_text(encoding="utf-8", errors="replace").strip()
    elif job.get("state") == "queued":
        state, again = "queued", int(job.get("requeues", 0))
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
        message=message,
        overrides=_overrides(directory / OVERRIDES),
    )


def find(root: Path) -> list[Path]:
    """The run directories under `root`, by name."""
    return sorted(path.parent for path in root.glob("*/*/seed*/config.yaml"))


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


def clock(seconds: float) -> str:
    """`1:02:03`, without hours where there are none."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def show(found: Sequence[RunStatus], root: Path) -> None:
    """Print the table, failures first, with their errors below."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("run", "state", "stage", "step", "left", "last sign", "last metrics", "overrides", box=box.SIMPLE)
    for run in sorted(found, key=lambda run: (STATES.index(run.state), run.directory)):
        place = (
            f"{run.stage} ({run.stages.index(run.stage) + 1}/{len(run.stages)})"
            if run.stage in run.stages
            else run.stage
        )
        table.add_row(
            str(run.directory.relative_to(root)),
            run.state,
            "" if run.state == "finished" else place,
            f"{run.step}/{run.total}" if run.total and run.state != "finished" else "",
            "" if run.eta is None else clock(run.eta),
            f"{clock(run.age)} ago",
            "" if run.state == "failed" else run.message,
            "\n".join(run.overrides),
        )
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 140)
    console.print(table)
    for run in found:
        if run.state == "failed":
            console.print(f"failed: {run.directory}\n  {_last_line(run.message)}", soft_wrap=True)
    counts = ((state, sum(run.state == state for run in found)) for state in STATES)
    console.print(", ".join(f"{count} {state}" for state, count in counts if count))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; code 1 where a run has failed."""
    parser = argparse.ArgumentParser(prog="python -m src.status", description=__doc__)
    parser.add_argument("root", type=Path, nargs="?", default=Path("runs"))
    parser.add_argument("--state", choices=STATES, nargs="+", help="only runs in these states")
    options = parser.parse_args(arguments)
    try:
        found = list(_all(options.root))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    show([run for run in found if not options.state or run.state in options.state], options.root)
    return int(any(run.state == "failed" for run in found))


def _all(root: Path) -> Iterator[RunStatus]:
    directories = find(root)
    if not directories:
        raise UserError(
            f"{root}: must hold runs (<scale>/<experiment>/seed<k>/config.yaml); there is none. Give the root"
        )
    return map(read, directories)


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _overrides(path: Path) -> tuple[str, ...]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return tuple(line for line in lines if not line.startswith(IN_THE_PATH + ELSEWHERE))


def _last_metrics(directory: Path) -> str:
    """Of the last GRPO step, where the status does not tell."""
    path = directory / "grpo" / "metrics.jsonl"
    if not path.is_file():
        return ""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - 65_536))
        lines = handle.read().decode(errors="replace").strip().splitlines()
    try:
        last = json.loads(lines[-1])
    except (IndexError, ValueError):
        return ""
    return "  ".join(f"{name} {last[name]:.2f}" for name in METRICS if name in last)


def _last_line(text: str) -> str:
    """Of an error: what is at fault stands there."""
    return text.splitlines()[-1] if text else "no message"


if __name__ == "__main__":
    sys.exit(main())
