"""What the script that reports on a set of runs begins and ends with: its arguments, the finished runs, the page."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from src.common.console import fail
from src.common.errors import UserError
from src.orchestration.arms import RunsSpec
from src.orchestration.jobs import Job, Runs
from src.store.directory import MARKDOWN, Run


def report(folder: Path, about: str, page: Callable[[Runs, Path], str], arguments: Sequence[str] | None = None) -> int:
    """Write report.md of the runs that `folder`/runs.yaml makes: the exit code.

    `page` gives its text, and writes what else belongs to it into the directory it is given. `about` is what `--help` says.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--scale", default="laptop")
    parser.add_argument("--root", default="runs")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of the file's")
    parser.add_argument("--output", type=Path, help="default: results/<scale>/ beside this file")
    parser.add_argument("overrides", nargs="*", help="those of the launch")
    options = parser.parse_intermixed_args(arguments)
    output = options.output or folder / "results" / options.scale
    try:
        spec = RunsSpec.read(folder / "runs.yaml").with_given(options.scale, options.seeds, options.overrides)
        runs = Runs(spec, options.scale, options.root)
        output.mkdir(parents=True, exist_ok=True)
        text = page(runs, output)
    except UserError as error:
        return fail(str(error))
    (output / MARKDOWN).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    print(output / MARKDOWN)
    return 0


def evaluated(jobs: Sequence[Job]) -> list[Run]:
    """The finished runs of `jobs`.

    Raises:
        UserError: one has no evaluation yet.
    """
    runs = [Run.of(job.directory, job.name, job.seed) for job in jobs]
    for run in runs:
        if not run.records.is_file():
            raise UserError(f"{run.method} seed {run.seed}: no records at {run.records}. Finish the launch first")
    return runs
