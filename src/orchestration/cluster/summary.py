"""What came of the jobs of a multirun: a line for each, with its result or its error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from src.orchestration.cluster import record
from src.store.directory import LOG, SUMMARY
from src.store.status import RunStatus, read

LINES = 12  # of an error
SHOWN = ("accuracy", "fidelity", "right and in language")
STOPPED = "SLURM ended it before it was done (cancelled, memory, a node); the same command again resumes it"


@dataclass(frozen=True)
class Row:
    """One job; `text` is its result or its error, `log` the output of the run, or the folder of SLURM's where it ended it."""

    job: str
    state: str
    directory: str
    text: str
    log: str


def rows(jobs: Mapping[Path, str]) -> list[Row]:
    """From run directories and the ids of their jobs (empty where none was needed), none of them in the queue."""
    return [_row(directory, job) for directory, job in jobs.items()]


def _row(directory: Path, job: str) -> Row:
    run = read(directory)
    texts = {"finished": result(run), "failed": run.message}
    state = run.state if run.state in texts else "stopped"
    held = record.read(directory)
    log = Path(held.folder) / "jobs" / job if held and state == "stopped" else directory / LOG
    return Row(job or "-", state, str(directory), texts.get(state, STOPPED), str(log))


def result(run: RunStatus) -> str:
    """`test: accuracy 0.97  fidelity 0.10 ...` over all languages, of a run with a report; else what its stages measured
    last."""
    splits = [
        f"{split}: " + "  ".join(f"{name} {metrics[name]:.3f}" for name in SHOWN if name in metrics)
        for split, metrics in run.results.items()
    ]
    return "; ".join(splits) or run.message


def show(results: list[Row], folder: Path) -> None:
    """Print the lines, and write them to `<folder>/summary.json`."""
    (folder / SUMMARY).write_text(json.dumps([asdict(row) for row in results], indent=1) + "\n", encoding="utf-8")
    job = max(len(row.job) for row in results)
    place = max(len(row.directory) for row in results)
    print()
    for row in results:
        text = "" if row.state == "failed" else row.text
        print(f"{row.job:{job}}  {row.state:8}  {row.directory:{place}}  {text}".rstrip())
    for row in results:
        if row.state == "failed":
            lines = row.text.splitlines()[:LINES]
            print(f"failed: {row.directory}", *lines, f"its output: {row.log}", sep="\n  ")
        if row.state == "stopped":
            print(f"stopped: {row.directory}", f"what SLURM said: {row.log}", sep="\n  ")
    states = [row.state for row in results]
    print(", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)), flush=True)
