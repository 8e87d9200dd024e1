"""Every run under a root: `python -m src status [runs]`. Reads run directories and nothing else.

A run is running while its process holds the lock of its directory (on any machine that shares the file system),
finished when its last stage is, failed when it left an error, queued when it says so of its SLURM job, and else stopped:
its command resumes it.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from src.common.console import clock, fail
from src.common.errors import UserError
from src.common.tables import Table
from src.config.paths import user_path
from src.store.status import STATES, RunStatus, find, read

SILENT = 600  # seconds without a sign of a run at work, from which on that is said
MEASURES = (("accuracy", "accuracy"), ("fidelity", "in lang."), ("right and in language", "both"))


def show(runs: Sequence[RunStatus], root: Path, among: Sequence[RunStatus]) -> None:
    """Print a line for each run, failures first. Below it stand what sets it apart from those that it is `among`, its last
    message while it is at work, and its error if it failed."""
    ordered = sorted(runs, key=lambda run: (STATES.index(run.state), run.directory))
    split = next((name for run in ordered for name in run.results), "")
    head = (
        "run",
        "state",
        "stage",
        "left",
        *([f"{split}: {MEASURES[0][1]}", *(name for _, name in MEASURES[1:])] if split else ()),
    )
    lines = Table(head, [_cells(run, root, split) for run in ordered]).text().splitlines()
    width = shutil.get_terminal_size().columns
    shared = frozenset.intersection(*(frozenset(run.overrides) for run in among))
    print(lines[0])
    for run, line in zip(ordered, lines[1:], strict=True):
        print(line)
        apart = " ".join(override for override in run.overrides if override not in shared)
        now = run.message if run.state not in ("failed", "finished") else ""
        silent = f"last sign {clock(run.age)} ago" if run.state == "running" and run.age > SILENT else ""
        for more in filter(None, (apart, now, silent)):
            print(f"  {shortened(more, width - 2)}")
        if run.state == "failed":
            print(f"  {_last_line(run.message)}")
    counts = ((state, sum(run.state == state for run in runs)) for state in STATES)
    print(", ".join(f"{count} {state}" for state, count in counts if count))


def _cells(run: RunStatus, root: Path, split: str) -> list[str]:
    stage = ""
    if run.state != "finished":
        stage = f"{run.stage} {run.step}/{run.total}" if run.total else run.stage
    left = "" if run.eta is None else clock(run.eta)
    results = run.results.get(split, {})
    numbers = [f"{results[name]:.3f}" if name in results else "" for name, _ in MEASURES] if split else []
    return [str(run.directory.relative_to(root)), run.state, stage, left, *numbers]


def shortened(text: str, width: int) -> str:
    """One line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; code 1 where a run has failed."""
    parser = argparse.ArgumentParser(prog="python -m src status", description=__doc__)
    parser.add_argument("root", type=user_path, nargs="?", default=Path("runs"))
    parser.add_argument("--state", choices=STATES, nargs="+", help="only runs in these states")
    parser.add_argument("--json", action="store_true", help="a list of objects with everything, for programs")
    options = parser.parse_args(arguments)
    try:
        runs = list(_all(options.root))
    except UserError as error:
        return fail(str(error))
    shown = [run for run in runs if not options.state or run.state in options.state]
    if options.json:
        print(json.dumps([run.as_json() for run in shown], ensure_ascii=False, indent=1))
    else:
        show(shown, options.root, runs)
    return int(any(run.state == "failed" for run in runs))


def _all(root: Path) -> Iterator[RunStatus]:
    directories = find(root)
    if not directories:
        raise UserError(
            f"{root}: must hold runs (<scale>/<experiment>/seed<k>/config.yaml); there is none. Give the root"
        )
    return map(read, directories)


def _last_line(text: str) -> str:
    """Of an error: what is at fault stands there."""
    return text.splitlines()[-1] if text else "no message"
