"""Search the settings of a W&B sweep file, without an account or a network: `python -m src sweep sweeps/<name>.yaml`.

The same command resumes.

Every trial is a run of its own (`python -m src.run ...`), on this machine or, with cluster=slurm_*, as a SLURM job. What
varies, how it is searched and when a trial is stopped early stand in the file; `key=value` here is added to every trial.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from src.common.console import fail
from src.common.errors import UserError
from src.config.paths import user_path
from src.orchestration.pool import end_as_interrupted
from src.orchestration.sweep.file import Sweep, read
from src.store.directory import LOG


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; code 1 where a trial failed."""
    parser = argparse.ArgumentParser(prog="python -m src sweep", description=__doc__)
    parser.add_argument("file", type=user_path, help="a sweep file, such as sweeps/alignment_factor.yaml")
    parser.add_argument("--trials", type=int, help="how many in all (default: run_cap of the file; a grid's points)")
    parser.add_argument("--jobs", type=int, default=1, help="trials side by side")
    parser.add_argument("--seed", type=int, default=0, help="of the search; seed=... is that of the runs")
    parser.add_argument("overrides", nargs="*", help="key=value for every trial")
    options = parser.parse_intermixed_args(arguments)
    end_as_interrupted()
    try:
        for name in ("trials", "jobs"):
            if (value := getattr(options, name)) is not None and value < 1:
                raise UserError(f"--{name} must be at least 1; got {value}")
        sweep = read(options.file)
        return run(options.file, sweep, _count(sweep, options.trials), options.jobs, options.seed, options.overrides)
    except UserError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\ninterrupted; the same command again resumes", file=sys.stderr)
        return 130


def run(path: Path, sweep: Sweep, count: int, jobs: int, seed: int, overrides: Sequence[str]) -> int:
    """Carry out the trials, then write and print the report."""
    from src.common.lock import exclusive
    from src.orchestration.sweep.driver import Driver
    from src.orchestration.sweep.report import write

    began = time.time()
    driver = Driver.of(sweep, overrides, seed)
    command = f"python -m src sweep {shlex.join([str(path), '--trials', str(count), '--seed', str(seed), *overrides])}"
    with exclusive(driver.ledger.folder):  # two at work on one ledger would lose trials of each other
        driver.carry_out(count, jobs)
        failed = driver.failed
        print(write(driver.ledger.folder, driver.sweep, driver.trials, driver.results, failed, command))
    if driver.reached:
        print(f"metric.target {sweep.target:g} is reached: no further trial was asked for")
    for number, error in failed.items():
        log = driver.trials[number].directory / LOG
        print(f"error: trial {number} failed: {error}" + (f"\n  {log}" if log.is_file() else ""), file=sys.stderr)
    if failed:
        print("\nThe same command again tries the failed ones once more.", file=sys.stderr)
    print(f"{len(driver.trials)} trials in {(time.time() - began) / 60:.1f} minutes: {driver.ledger.folder}")
    return int(bool(failed))


def _count(sweep: Sweep, asked: int | None) -> int:
    """How many trials there are to be."""
    size = sweep.size()
    wanted = asked or sweep.run_cap or size
    if wanted is None:
        raise UserError(f"a {sweep.method} search has no end of its own: give run_cap in the file, or --trials")
    return min(wanted, size) if size is not None else wanted
