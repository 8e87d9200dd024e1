"""A fixed set of runs that makes one table: `python -m src launch experiments/demo`. The same command resumes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from src.common.console import clock, fail
from src.common.errors import UserError
from src.config.paths import expanded, user_path
from src.orchestration.arms import RunsSpec
from src.orchestration.jobs import Runs
from src.orchestration.pool import end_as_interrupted
from src.orchestration.preflight import preflight
from src.orchestration.suite import all_finished, choose, gather, listing
from src.store.directory import HEADLINE, PAGE, TABLE


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m src launch", description=__doc__)
    parser.add_argument("folder", type=user_path, help="a folder with runs.yaml, such as experiments/demo")
    parser.add_argument("--scale", default="laptop", help="conf/scale/*.yaml")
    parser.add_argument("--root", type=expanded, default="runs", help="where runs live")
    parser.add_argument("--jobs", type=int, help="runs side by side (default: the file's)")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of the file's")
    parser.add_argument("--dry-run", action="store_true", help="list the arms in the order they can run, and stop")
    parser.add_argument("overrides", nargs="*", help="further key=value overrides for every run")
    options = parser.parse_intermixed_args(arguments)
    end_as_interrupted()
    try:
        spec = RunsSpec.read(options.folder / "runs.yaml")
        spec = spec.with_given(options.scale, options.seeds, options.overrides)
        began = time.time()
        at_once = options.jobs or spec.jobs
        runs = Runs(spec, options.scale, options.root)
        first = runs.check()
        if options.dry_run:
            print(listing(spec, first))
            return 0
        tuned = runs
        if spec.chosen_by:
            tuned = Runs(RunsSpec.read(Path(spec.chosen_by) / "runs.yaml"), options.scale, options.root)
            tuned.check()
        if line := preflight(runs):
            print(line, flush=True)
        if (tuning := tuned.tuning_tasks()) and all_finished(tuning, at_once) is None:
            return 1
        chosen, tried = choose(tuned)
        jobs = all_finished(Runs(spec, options.scale, options.root, chosen).tasks(), at_once)
        if jobs is None:
            return 1
        output = gather(options.folder, spec, jobs, tried, options.scale, options.root)
        if output is not None:
            print((output / HEADLINE).read_text(encoding="utf-8"))
            print(f"tables: {output / TABLE}\nreport: {output / PAGE}")
        print(f"{len(jobs)} runs in {clock(time.time() - began)}")
    except UserError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\ninterrupted; the same command again resumes", file=sys.stderr)
        return 130
    return 0
