"""A fixed set of runs that makes one table.

`runs.yaml` lists experiments, seeds and overrides; runs go side by side as processes, shared stages are made
once, and at the end everything is gathered into one report beside what was expected. An experiment may leave a setting
to be chosen: every value runs with the first seeds, and the best one on the dev split with the others. It may build on
others, of the same seed: then it waits for them.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.orchestration.arms import RunsSpec
from src.orchestration.bars import Bars
from src.orchestration.jobs import TUNING_SEEDS, Job, Runs, Task
from src.orchestration.pool import Pool
from src.store.directory import LOG, STATUS, Run, RunDirectory

POLL_S = 0.2
TUNING_SPLIT = "dev"
TUNING_METRIC = "right_and_in_language"


def choose(runs: Runs) -> tuple[dict[str, tuple[str, ...]], list[dict[str, Any]]]:
    """The overrides of each arm, chosen where there is a choice, and what each value came to on the dev split.

    Raises:
        UserError: the runs were not evaluated on the dev split.
    """
    import pandas

    spec = runs.spec
    chosen = {arm.name: arm.overrides for arm in spec.arms()}
    rows = []
    seeds = spec.seeds[:TUNING_SEEDS]
    columns = ["split", "language", TUNING_METRIC]
    for arm in (arm for arm in spec.arms() if arm.choose):
        values = []
        for own in arm.candidates():
            records = [RunDirectory(runs.job(arm, seed, own).directory).records for seed in seeds]
            frame = pandas.concat([pandas.read_parquet(path, columns=columns) for path in records])
            frame = frame[frame["split"] == TUNING_SPLIT]
            if frame.empty:
                raise UserError(f"{arm.name}: to choose a value, evaluation.splits must hold {TUNING_SPLIT!r}")
            values.append(float(frame.groupby("language")[TUNING_METRIC].mean().mean()))
        best = values.index(max(values))
        chosen[arm.name] = arm.candidates()[best]
        rows += [
            {"arm": arm.name, "value": own[-1], "seeds": len(seeds), TUNING_METRIC: value, "chosen": place == best}
            for place, (own, value) in enumerate(zip(arm.candidates(), values, strict=True))
        ]
    return chosen, rows


@dataclass
class Outcome:
    """What came of tasks, by number. `jobs` are those that were started, `failed` those that ended badly with what is known
    beside their logs, and `left_out` those not started, with the number of the failed one that they build on."""

    jobs: dict[int, Job] = field(default_factory=dict)
    good: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)
    left_out: dict[int, int] = field(default_factory=dict)


def launch(tasks: Sequence[Task], at_once: int, bars: Bars) -> Outcome:
    """Run the tasks, `at_once` side by side, each when those it waits for have gone well. Output goes to
    `<run>/log.txt`."""
    waiting = list(range(len(tasks)))
    outcome = Outcome()
    with Pool() as pool:
        while waiting or pool.running:
            for number in list(waiting):
                if (cause := _cause(tasks[number], outcome)) is not None:
                    outcome.left_out[number] = cause
                    waiting.remove(number)
                    bars.left_out(tasks[number])
            for number in [number for number in waiting if outcome.good.issuperset(tasks[number].after)]:
                if len(pool.running) < at_once:
                    waiting.remove(number)
                    _start(pool, number, tasks[number], outcome, bars)
            time.sleep(POLL_S)
            for number, good in pool.ended().items():
                outcome.good.update([number] if good else [])
                outcome.failed.update({} if good else {number: ""})
                bars.finished(tasks[number], good)
            bars.show([outcome.jobs[number] for number in pool.running])
    return outcome


def _start(pool: Pool, number: int, task: Task, outcome: Outcome, bars: Bars) -> None:
    try:
        job = task.job()
    except UserError as error:  # what it builds on is not as it was said to be
        outcome.failed[number] = str(error)
        bars.finished(task, False)
        return
    outcome.jobs[number] = job
    pool.start(number, job.arguments, job.directory, {"ADAMAME_STATUS": str((job.directory / STATUS).resolve())})


def _cause(task: Task, outcome: Outcome) -> int | None:
    """The failed one that a task builds on, directly or through one that was left out for it."""
    lost = {number: number for number in outcome.failed} | outcome.left_out
    return next((lost[number] for number in task.after if number in lost), None)


def all_finished(tasks: Sequence[Task], at_once: int) -> list[Job] | None:
    """Run the tasks with progress bars; their jobs, or None, and what went wrong on the screen, when one failed."""
    with Bars(len(tasks)) as bars:
        outcome = launch(tasks, at_once, bars)
    for number, text in outcome.failed.items():
        _show_failure(tasks[number], outcome.jobs.get(number), text)
    if outcome.left_out:
        print(file=sys.stderr)
    for number, cause in outcome.left_out.items():
        task = tasks[number]
        print(
            f"not started: {task.name} seed {task.seed}, which builds on {tasks[cause].name} seed {tasks[cause].seed}",
            file=sys.stderr,
        )
    if outcome.failed:
        print("\nThe same command again resumes what is not finished.", file=sys.stderr)
        return None
    return [outcome.jobs[number] for number in range(len(tasks))]


def _show_failure(task: Task, job: Job | None, text: str) -> None:
    lines = (
        [text]
        if job is None
        else (job.directory / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
    )
    print(f"\nerror: {task.name} seed {task.seed} failed:", *lines, sep="\n  ", file=sys.stderr)
    if job is not None:
        print(f"  its command: {shlex.join(['python', *job.command[1:]])}", file=sys.stderr)


def listing(spec: RunsSpec, jobs: Sequence[Job]) -> str:
    """A line for each arm, in the order of `jobs`: its experiment, its stages and what it builds on."""
    arms = {arm.name: arm for arm in spec.arms()}
    width = max(len(job.name) for job in jobs)
    lines = []
    for job in jobs:
        arm = arms[job.name]
        parts = [f"{arm.experiment} ({', '.join(job.stages)})"]
        parts += [f"from {', '.join(arm.start)}"] if arm.start else []
        parts += [f"data from {', '.join(arm.data)}"] if arm.data else []
        parts += [f"{key} chosen from {', '.join(map(str, values))}" for key, values in arm.choose]
        lines.append(f"{arm.name:{width}}  {'; '.join(parts)}")
    count = len(jobs) * len(spec.seeds)
    return "\n".join([*lines, f"{len(jobs)} arms x {len(spec.seeds)} seeds = {count} runs"])


def gather(
    folder: Path, spec: RunsSpec, jobs: Sequence[Job], tried: Sequence[dict[str, Any]], scale: str, root: str
) -> Path | None:
    """The report over all runs that were evaluated, `<root>/<scale>/_<name of the folder>/`; None where none was."""
    from src.reporting.report import build_report

    evaluated = [job for job in jobs if "evaluate" in job.stages]
    if not evaluated:
        return None
    output = Path(root) / scale / f"_{folder.name}"
    expected = folder / "expected.csv"
    build_report(
        output,
        f"{spec.title} (scale={scale}, {len(spec.seeds)} seed{'s' * (len(spec.seeds) > 1)})",
        [Run.of(job.directory, job.name, job.seed) for job in evaluated],
        compared=spec.compared or None,
        expected=expected if expected.is_file() else None,
        command=f"python -m src launch {folder} --scale {scale}",
        tried=tried,
    )
    return output
