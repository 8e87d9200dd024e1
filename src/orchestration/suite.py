"""A fixed set of runs that makes one table.

`runs.yaml` lists experiments, seeds and overrides; runs go side by side as processes, shared stages are made
once, and at the end everything is gathered into one report beside what was expected. An experiment may leave a setting
to be chosen: every value runs with the first seeds, and the best one on the dev split with the others.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from src.common.console import clock
from src.common.errors import UserError, nearest
from src.config.compose import Composition, compose
from src.config.directory import run_directory
from src.orchestration.cluster import plugin
from src.orchestration.pool import Pool
from src.store.directory import LOG, STATUS, Run, RunDirectory
from src.tracking.progress import bars, left

POLL_S = 0.2
LINE_EVERY = 15.0  # seconds, where there is no terminal
TUNING_SEEDS = 2
TUNING_SPLIT = "dev"
TUNING_METRIC = "right_and_in_language"


@dataclass(frozen=True)
class Arm:
    """One line of the table: an experiment with its overrides. `choose` maps a setting to the values it is chosen
    from, by right-and-in-language on the dev split over the first two seeds."""

    name: str
    experiment: str
    overrides: tuple[str, ...] = ()
    choose: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    @staticmethod
    def read(entry: Any, where: Path) -> Arm:
        """From a name, or a mapping with `experiment` and any of `name`, `overrides`, `choose`."""
        if isinstance(entry, str):
            return Arm(entry, entry)
        names = list(Arm.__dataclass_fields__)
        for key in entry:
            if key not in names:
                raise UserError(f"{where}: unknown field {key!r} in experiments. {nearest(key, names)}")
        if "experiment" not in entry:
            raise UserError(f"{where}: field 'experiment' is missing in {entry}; say which experiment it is")
        choose = tuple((key, tuple(values)) for key, values in entry.get("choose", {}).items())
        if len(choose) > 1 or any(len(values) < 2 for _, values in choose):
            raise UserError(f"{where}: choose must give one setting with two or more values; got {entry['choose']}")
        name = entry.get("name", entry["experiment"])
        return Arm(name, entry["experiment"], tuple(entry.get("overrides", ())), choose)

    def candidates(self) -> list[tuple[str, ...]]:
        """The overrides of every value to choose from; none where nothing is chosen."""
        return [(*self.overrides, f"{key}={value}") for key, values in self.choose for value in values]


@dataclass(frozen=True)
class RunsSpec:
    """The fields of a `runs.yaml`."""

    title: str
    experiments: list[Any]
    seeds: list[int] = field(default_factory=lambda: [0])
    overrides: list[str] = field(default_factory=list)
    jobs: int = 2
    compared: str = ""  # this method is compared with every other, pair by pair
    chosen_by: str = ""  # another folder: arms take over what is chosen there for those of the same name

    @staticmethod
    def read(path: Path) -> RunsSpec:
        """Raises `UserError` for a missing file or an unknown field."""
        import yaml

        if not path.is_file():
            raise UserError(f"{path}: no such file. Give a folder that holds runs.yaml, such as experiments/demo")
        content = yaml.safe_load(path.read_text())
        names = list(RunsSpec.__dataclass_fields__)
        for key in content:
            if key not in names:
                raise UserError(f"{path}: unknown field {key!r}. {nearest(key, names)}")
        for key in ("title", "experiments"):
            if key not in content:
                raise UserError(f"{path}: field {key!r} is missing; every runs.yaml has a title and experiments")
        spec = RunsSpec(**content)
        arms = [Arm.read(entry, path) for entry in spec.experiments]
        twice = sorted({arm.name for arm in arms if [a.name for a in arms].count(arm.name) > 1})
        if twice:
            raise UserError(f"{path}: every experiment needs a name of its own; more than one is called {twice[0]!r}")
        return spec

    def arms(self) -> list[Arm]:
        return [Arm.read(entry, Path("runs.yaml")) for entry in self.experiments]


@dataclass(frozen=True)
class Job:
    """One run: its command, and where its files go."""

    name: str
    experiment: str
    seed: int
    overrides: tuple[str, ...]
    directory: Path

    @property
    def arguments(self) -> list[str]:
        """Of `python -m src.run`."""
        return [f"+experiment={self.experiment}", f"seed={self.seed}", *self.overrides]

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "src.run", *self.arguments]


def job_of(spec: RunsSpec, arm: Arm, own: Sequence[str], seed: int, scale: str, root: str) -> Job:
    """The run of an arm with `own` overrides.

    Raises:
        UserError: they cannot be composed; the message names the arm.
    """
    overrides = (f"scale={scale}", f"root={root}", *spec.overrides, *own)
    try:
        composition = _composition((f"+experiment={arm.experiment}", *overrides))
    except UserError as error:
        raise UserError(f"{arm.name}: {error}") from None
    return Job(arm.name, arm.experiment, seed, overrides, run_directory(composition, seed))


@cache
def _composition(overrides: tuple[str, ...]) -> Composition:
    """Composed once for all seeds of an arm."""
    plugin.register()  # a suite may run on a cluster
    return compose(overrides)


def tuning_jobs(spec: RunsSpec, scale: str, root: str) -> list[Job]:
    """Every value of every arm that has one to choose, with the first seeds."""
    return [
        job_of(spec, arm, own, seed, scale, root)
        for arm in spec.arms()
        for own in arm.candidates()
        for seed in spec.seeds[:TUNING_SEEDS]
    ]


def jobs_of(spec: RunsSpec, scale: str, root: str, chosen: Mapping[str, Sequence[str]] | None = None) -> list[Job]:
    """Every (arm, seed) with the overrides `chosen` for it, one arm after another: neighbours in the queue then share no
    stage, and none has to wait for another."""
    return [
        job_of(spec, arm, (chosen or {}).get(arm.name, arm.overrides), seed, scale, root)
        for arm in spec.arms()
        for seed in spec.seeds
    ]


def choose(spec: RunsSpec, scale: str, root: str) -> tuple[dict[str, tuple[str, ...]], list[dict[str, Any]]]:
    """The overrides of each arm, chosen where there is a choice, and what each value came to on the dev split.

    Raises:
        UserError: the runs were not evaluated on the dev split.
    """
    import pandas

    chosen = {arm.name: arm.overrides for arm in spec.arms()}
    rows = []
    seeds = spec.seeds[:TUNING_SEEDS]
    columns = ["split", "language", TUNING_METRIC]
    for arm in (arm for arm in spec.arms() if arm.choose):
        values = []
        for own in arm.candidates():
            runs = [job_of(spec, arm, own, seed, scale, root) for seed in seeds]
            records = [RunDirectory(job.directory).records for job in runs]
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


def launch(jobs: Sequence[Job], at_once: int, bars: Bars) -> list[Job]:
    """Run the jobs, `at_once` side by side; returns those that failed. Output goes to `<run>/log.txt`."""
    waiting = list(range(len(jobs)))
    failed = []
    with Pool() as pool:
        while waiting or pool.running:
            while waiting and len(pool.running) < at_once:
                number = waiting.pop(0)
                job = jobs[number]
                status = (job.directory / STATUS).resolve()
                pool.start(number, job.arguments, job.directory, {"ADAMAME_STATUS": str(status)})
            time.sleep(POLL_S)
            for number, good in pool.ended().items():
                if not good:
                    failed.append(jobs[number])
                bars.finished(jobs[number], good)
            bars.show([jobs[number] for number in pool.running])
    return failed


def all_finished(jobs: Sequence[Job], at_once: int) -> bool:
    """Run the jobs with progress bars; False, and what went wrong on the screen, when one failed."""
    with Bars(jobs) as bars:
        failed = launch(jobs, at_once, bars)
    for job in failed:
        tail = (job.directory / LOG).read_text(errors="replace").strip().splitlines()[-12:]
        print(f"\nerror: {job.name} seed {job.seed} failed:", *tail, sep="\n  ", file=sys.stderr)
        print(f"  its command: {' '.join(job.command[1:])}", file=sys.stderr)
    if failed:
        print("\nThe same command again resumes what is not finished.", file=sys.stderr)
    return not failed


class Bars:
    """Progress of all runs: one overall bar with ETA, and the stage of each run at work. Use as a context manager."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.began = time.time()
        self.printed = 0.0
        self.count = len(jobs)
        self.done = 0
        self.terminal = sys.stderr.isatty()
        self.bars = bars()
        self.overall = self.bars.add_task("runs", total=self.count, text="")
        self.lines: dict[Path, Any] = {}  # run directory -> its bar

    def __enter__(self) -> Bars:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def finished(self, job: Job, good: bool) -> None:
        """One run has ended."""
        self.done += 1
        if not self.terminal:
            state = "finished" if good else "FAILED"
            print(f"{self._clock()} {state} {job.name} seed {job.seed} ({self.done}/{self.count})", flush=True)

    def show(self, running: Sequence[Job]) -> None:
        """How all are doing: bars at once, a line now and then."""
        if self.terminal:
            self._draw(running)
        elif time.time() - self.printed > LINE_EVERY:
            self.printed = time.time()
            print(f"{self._clock()} " + " | ".join(map(self._text, running)), flush=True)

    def _draw(self, running: Sequence[Job]) -> None:
        for directory in [*self.lines]:
            if directory not in [job.directory for job in running]:
                self.bars.remove_task(self.lines.pop(directory))
        for job in running:
            if job.directory not in self.lines:
                self.lines[job.directory] = self.bars.add_task(f"{job.name} seed {job.seed}", text="")
            status = self._status(job)
            bar = self.lines[job.directory]
            step = status.get("step", 0)
            self.bars.update(bar, completed=step, total=status.get("total", 1), text=_where(status))
        eta = (time.time() - self.began) / self.done * (self.count - self.done) if self.done else None
        text = f"{self.done}/{self.count}{left(eta)}"
        self.bars.update(self.overall, completed=self.done, text=text, refresh=True)

    def _status(self, job: Job) -> dict[str, Any]:
        """What the run wrote since it was started; nothing before it has."""
        path = job.directory / STATUS
        if not path.is_file() or path.stat().st_mtime < self.began:
            return {}
        return dict(json.loads(path.read_text()))

    def _text(self, job: Job) -> str:
        return f"{job.name} seed {job.seed}: {_where(self._status(job))}"

    def _clock(self) -> str:
        return f"[{clock(time.time() - self.began)}]"


def _where(status: Mapping[str, Any]) -> str:
    """Stage, step, time left and last metrics of a run."""
    if not status:
        return "starting"
    place = f"{status['stage'].split('-')[0]} {status['step']}/{status['total']}{left(status.get('eta_seconds'))}"
    return f"{place}  {status.get('message', '')}".rstrip()


def gather(
    folder: Path, spec: RunsSpec, jobs: Sequence[Job], tried: Sequence[dict[str, Any]], scale: str, root: str
) -> Path:
    """The report over all runs: `<root>/<scale>/<name of the folder>/`."""
    from src.reporting.report import build_report

    output = Path(root) / scale / f"_{folder.name}"
    expected = folder / "expected.csv"
    build_report(
        output,
        f"{spec.title} (scale={scale}, {len(spec.seeds)} seed{'s' * (len(spec.seeds) > 1)})",
        [Run.of(job.directory, job.name, job.seed) for job in jobs],
        compared=spec.compared or None,
        expected=expected if expected.is_file() else None,
        command=f"python -m src launch {folder} --scale {scale}",
        tried=tried,
    )
    return output
