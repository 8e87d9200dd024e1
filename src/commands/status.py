"""Every run under a root: `python -m src status [runs]`. Reads run directories and nothing else.

A run is running while its process holds the lock of its directory (on any machine that shares the file system),
finished when its last stage is, failed when it left an error, queued when it says so of its SLURM job, and else stopped:
its command resumes it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from src.common.console import clock, fail
from src.common.errors import UserError
from src.config.paths import user_path
from src.store.status import STATES, RunStatus, find, read


def show(runs: Sequence[RunStatus], root: Path) -> None:
    """Print the table, failures first, with their errors below."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("run", "state", "stage", "step", "left", "last sign", "last metrics", "overrides", box=box.SIMPLE)
    for run in sorted(runs, key=lambda run: (STATES.index(run.state), run.directory)):
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
    for run in runs:
        if run.state == "failed":
            console.print(f"failed: {run.directory}\n  {_last_line(run.message)}", soft_wrap=True)
    counts = ((state, sum(run.state == state for run in runs)) for state in STATES)
    console.print(", ".join(f"{count} {state}" for state, count in counts if count))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; code 1 where a run has failed."""
    parser = argparse.ArgumentParser(prog="python -m src status", description=__doc__)
    parser.add_argument("root", type=user_path, nargs="?", default=Path("runs"))
    parser.add_argument("--state", choices=STATES, nargs="+", help="only runs in these states")
    options = parser.parse_args(arguments)
    try:
        runs = list(_all(options.root))
    except UserError as error:
        return fail(str(error))
    show([run for run in runs if not options.state or run.state in options.state], options.root)
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
