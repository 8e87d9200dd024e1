"""The loop of a sweep: suggest, start, watch, stop early, take in results; after a crash from where it was."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from src.analysis.domains import NON_ENGLISH, domains_of
from src.analysis.run_values import NAMES
from src.common.errors import UserError, nearest
from src.config.checks import check
from src.config.compose import build, compose
from src.config.directory import run_directory
from src.config.schema import Config
from src.config.stages import MEASURED, EvaluationSpec
from src.orchestration.pool import Pool
from src.orchestration.sweep.file import Sweep
from src.orchestration.sweep.hyperband import trials_to_stop
from src.orchestration.sweep.results import ranked
from src.orchestration.sweep.search import Observation, overrides, sample_points, suggest
from src.orchestration.sweep.trials import Ledger, Trial, error_of, results_of, size_of, values_of
from src.tracking.progress import bars, left

POLL_S = 0.5
DEFAULT = "right_and_in_language"  # what trials are ordered by where the file names no metric
# Of every trial unless the command line says otherwise: results lie in the run directories, W&B's agent is not at work.
OURS = ("tracking=jsonl",)


@dataclass
class Driver:
    """A sweep at work. `results` are those of the trials that ended well or were stopped early, by number."""

    sweep: Sweep
    fixed: tuple[str, ...]
    seed: int
    ledger: Ledger
    trials: list[Trial] = field(default_factory=list)
    results: dict[int, dict[str, float]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    # By number: size of the file, values in it.
    _values: dict[int, tuple[int, list[float]]] = field(default_factory=dict)

    @staticmethod
    def of(sweep: Sweep, own: Sequence[str], seed: int) -> Driver:
        """A sweep that can work.

        Raises:
            UserError: a setting is given twice, none of some trials can run, or they would have no value of the metric.
        """
        swept = {parameter.name.lstrip("+") for parameter in sweep.parameters}
        if twice := [text for text in own if _setting(text) in swept]:
            raise UserError(f"{', '.join(twice)}: the sweep searches that setting; leave it out, or change the file")
        fixed = tuple(text for text in merged(sweep.fixed, (*OURS, *own)) if _setting(text) not in swept)
        config = _first_that_runs([(*fixed, *overrides(sweep, point)) for point in sample_points(sweep, seed)])
        if "evaluate" not in config.stages:
            raise UserError(f"the runs of a sweep need stage evaluate, whose results it compares; got {config.stages}")
        if not sweep.metric:  # a grid or a random search, which needs none: something to order the trials by
            sweep = replace(sweep, metric=f"{config.evaluation.splits[0]}/{DEFAULT}", goal="maximize")
        _check_metric(sweep, config.evaluation)
        ledger = Ledger(Path(config.root) / config.scale / f"_sweep-{sweep.name}")
        return Driver(sweep, fixed, seed, ledger)

    def carry_out(self, count: int, jobs: int) -> None:
        """Until `count` trials have ended, `jobs` at a time, with those that an earlier command left; of them, what failed is
        tried once more. Once a trial has reached the target, those that are running are the last.

        Raises:
            UserError: the folder holds the trials of another sweep.
        """
        self.trials = self.ledger.open(self.sweep, self.fixed, self.seed)
        waiting = []
        for trial in self.trials:
            if not self._take_in(trial.number) and trial.number < count:
                waiting.append(trial.number)
        with Pool() as pool, TrialBar(count, min(count, len(self.results))) as bar:
            while pool.running or (not self.reached and (waiting or len(self.trials) < count)):
                while len(pool.running) < jobs and not self.reached and (waiting or len(self.trials) < count):
                    number = self._again(waiting.pop(0)) if waiting else self._ask()
                    trial = self.trials[number]
                    if trial.error:
                        self._ended(number, False, bar)
                    else:
                        pool.start(number, trial.overrides, trial.directory)
                time.sleep(POLL_S)
                for number, good in pool.ended().items():
                    self._ended(number, good, bar)
                self._stop_early(pool, bar)

    @property
    def reached(self) -> bool:
        """Whether a trial that came to its end is as good as the target."""
        return any(
            self.sweep.reached(result[self.sweep.metric]) and not self.trials[number].stopped_at
            for number, result in self.results.items()
        )

    def _ask(self) -> int:
        """The number of a new trial, kept before it starts."""
        number = len(self.trials)
        self.trials.append(self._placed(number, suggest(self.sweep, self.known(), self.seed)))
        self.ledger.save(self.trials)
        return number

    def _again(self, number: int) -> int:
        """The number of a trial without results; a configuration that was refused may be none now, and where a run lives may
        have changed since."""
        placed = replace(self._placed(number, self.trials[number].point), stopped_at=self.trials[number].stopped_at)
        if placed != self.trials[number]:
            self.trials[number] = placed
            self.ledger.save(self.trials)
        return number

    def _placed(self, number: int, point: dict[str, Any]) -> Trial:
        texts = (*self.fixed, *overrides(self.sweep, point))
        try:
            return Trial(number, point, texts, place(texts)[1])
        except UserError as error:
            return Trial(number, point, texts, self.ledger.folder, error=str(error))

    def known(self) -> list[Observation]:
        """What the search knows of every trial."""
        return [
            Observation(
                trial.point,
                self.results.get(trial.number, {}).get(self.sweep.metric),
                trial.number in self.failed or bool(trial.error),
            )
            for trial in self.trials
        ]

    def _take_in(self, number: int) -> bool:
        """Read the results of a trial, if it has come to its end."""
        trial = self.trials[number]
        if trial.stopped_at and trial.finished:  # its own command went on with it
            self.trials[number] = replace(trial, stopped_at=0)
        results = results_of(trial)
        if self.sweep.metric in results:
            self.results[number] = results
        return self.sweep.metric in results

    def _ended(self, number: int, good: bool, bar: TrialBar) -> None:
        trial = self.trials[number]
        metric = self.sweep.metric
        if good and self._take_in(number):
            best = ranked(self.sweep, self.trials, self.results)[0]
            text = f"{metric} {self.results[number][metric]:.3f}  (best {best.value:.3f}, trial {best.trial.number})"
        else:
            self.failed[number] = error_of(trial, metric)
            text = f"FAILED: {self.failed[number]}"
        if trial.stopped_at:
            text += f"  stopped after {trial.stopped_at} values"
        changing = " ".join(overrides(self.sweep, trial.point))
        print(f"trial {number}: {text}  {changing}", flush=True)
        bar.advance()

    def _stop_early(self, pool: Pool, bar: TrialBar) -> None:
        if self.sweep.early is None or not pool.running:
            return
        values = {trial.number: self._on_the_way(trial) for trial in self.trials}
        for number in trials_to_stop(self.sweep.early, self.sweep.goal, values, pool.running):
            pool.stop([number])
            trial = self.trials[number]
            if not trial.finished:  # else it came to its end meanwhile
                self.trials[number] = replace(trial, stopped_at=len(self._on_the_way(trial)))
                self.ledger.save(self.trials)
            self._ended(number, True, bar)

    def _on_the_way(self, trial: Trial) -> list[float]:
        """The values of the metric so far; the file is read again when it has grown."""
        size = size_of(trial)
        if self._values.get(trial.number, (-1, []))[0] != size:
            self._values[trial.number] = (size, values_of(trial, self.sweep.metric))
        return self._values[trial.number][1]


class TrialBar:
    """How many trials of `count` have ended, on a terminal; `done` had before. Use as a context manager."""

    def __init__(self, count: int, done: int) -> None:
        self.count = count
        self.first = done
        self.done = done
        self.began = time.monotonic()
        self.bars = bars()
        self.bar = self.bars.add_task("trials", total=count, text="")

    def __enter__(self) -> TrialBar:
        self.bars.start()
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def advance(self) -> None:
        """One more has ended."""
        self.done += 1
        self._draw()

    def _draw(self) -> None:
        fresh = self.done - self.first
        eta = (time.monotonic() - self.began) / fresh * (self.count - self.done) if fresh else None
        self.bars.update(self.bar, completed=self.done, text=f"{self.done}/{self.count}{left(eta)}", refresh=True)


def _first_that_runs(trials: Sequence[tuple[str, ...]]) -> Config:
    """The configuration of the first trial that has one; else raise what is wrong with the first of all."""
    refused = None
    for texts in trials:
        try:
            return place(texts)[0]
        except UserError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _check_metric(sweep: Sweep, evaluation: EvaluationSpec) -> None:
    """Raise `UserError` unless every trial will have a value of the metric, on the way too where that is asked for."""
    split, _, rest = sweep.metric.partition("/")
    name, _, language = rest.partition("/")
    where = f"metric.name must be <split>/<metric> or <split>/<metric>/<language>; got {sweep.metric!r}"
    if split not in evaluation.splits:
        raise UserError(f"{where}. evaluation.splits has {', '.join(evaluation.splits)}")
    if name not in NAMES:
        raise UserError(f"{where}. {nearest(name, NAMES)}")
    averages = [NON_ENGLISH] if NON_ENGLISH in domains_of([], evaluation.languages) else []
    if language and language not in (*evaluation.languages, *averages):
        raise UserError(f"{where}. evaluation.languages has {', '.join(evaluation.languages)}")
    if sweep.early and not evaluation.every:
        raise UserError("early_terminate needs values on the way: give evaluation.every=<steps> in the command")
    on_the_way = [f"{evaluation.splits[0]}/{metric}" for metric in MEASURED]
    if sweep.early and sweep.metric not in on_the_way:
        raise UserError(
            f"early_terminate needs a metric that is measured on the way, {', '.join(on_the_way)}; got {sweep.metric!r}"
        )


def merged(first: Sequence[str], then: Sequence[str]) -> tuple[str, ...]:
    """Overrides, of those for the same setting the last."""
    overrides_of: dict[str, str] = {}
    for text in (*first, *then):
        overrides_of[_setting(text)] = text
    return tuple(overrides_of.values())


def _setting(override: str) -> str:
    return override.split("=")[0].lstrip("+")


def place(texts: Sequence[str]) -> tuple[Config, Path]:
    """The configuration of a run, and its directory.

    Raises:
        UserError: it cannot run.
    """
    composition = compose(texts)
    config = build(composition.node)
    check(config)
    return config, run_directory(composition)
