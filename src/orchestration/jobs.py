"""The runs of a set: their commands, where their files go, and which of them wait for which."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from omegaconf import OmegaConf

from src.common.errors import UserError
from src.config.compose import Composition, compose
from src.config.directory import run_directory
from src.config.paths import written
from src.config.schema import Config
from src.orchestration import chain
from src.orchestration.arms import Arm, RunsSpec, ancestors, ordered
from src.orchestration.cluster import plugin

TUNING_SEEDS = 2


@dataclass(frozen=True)
class Job:
    """One run: its command, where its files go, and its stages."""

    name: str
    experiment: str
    seed: int
    overrides: tuple[str, ...]
    directory: Path
    stages: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """Of `python -m src.run`."""
        return [f"+experiment={self.experiment}", f"seed={self.seed}", *self.overrides]

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "src.run", *self.arguments]


@dataclass(frozen=True)
class Task:
    """A run to be. Its job is known when the tasks at the places `after` of the same list have finished."""

    name: str
    seed: int
    job: Callable[[], Job]
    after: tuple[int, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A run before anything has run: its configuration, with stand-ins for what other runs make, and the stand-in for the
    model that it leaves (empty: none)."""

    job: Job
    config: Config
    leaves: str


@dataclass
class Runs:
    """The jobs of a `runs.yaml` at a scale; `chosen` are the overrides of arms in place of those in the file."""

    spec: RunsSpec
    scale: str
    root: str
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _made: dict[tuple[str, int, bool], chain.Made] = field(default_factory=dict, init=False, repr=False)

    @property
    def given(self) -> tuple[str, ...]:
        """The overrides of every run: those of the file, and of the file at this scale."""
        return (*self.spec.overrides, *self.spec.scales.get(self.scale, ()))

    def job(self, arm: Arm, seed: int, own: Sequence[str] | None = None, finished: bool = True) -> Job:
        """The run of an arm, with `own` overrides in place of the arm's. Where its sources have not `finished`, its
        directory and what it takes from them are stand-ins.

        Raises:
            UserError: it cannot be composed, or does not fit its sources; the message names the arm.
        """
        try:
            return self._job(arm, seed, own, finished)[0]
        except UserError as error:
            raise UserError(f"{arm.name}: {error}") from None

    def tasks(self) -> list[Task]:
        """Every (arm, seed), one arm after another: neighbours in the queue then share no stage, and none has to wait for
        another."""
        return self._tasks([(arm, None, seed) for arm in self.spec.arms() for seed in self.spec.seeds])

    def tuning_tasks(self) -> list[Task]:
        """Every value of every arm that has one to choose, with the first seeds, and the arms that these build on."""
        arms = self.spec.arms()
        needed = {other.name for arm in arms if arm.choose for other in ancestors(arm, arms)}
        runs: list[tuple[Arm, tuple[str, ...] | None]] = [(arm, None) for arm in arms if arm.name in needed]
        runs += [(arm, own) for arm in arms for own in arm.candidates()]
        return self._tasks([(arm, own, seed) for arm, own in runs for seed in self.spec.seeds[:TUNING_SEEDS]])

    def check(self) -> list[Job]:
        """The jobs of the first seed, every arm after those it builds on; nothing has to be there yet.

        Raises:
            UserError: an arm cannot run; the message names it.
        """
        arms = self.spec.arms()
        jobs = []
        for arm in ordered(arms):
            for seed in self.spec.seeds[:1]:
                tried = [self.job(arm, seed, own, finished=False) for own in arm.candidates()]
                jobs.append(self.job(arm, seed, finished=False))
                if tried and "evaluate" not in tried[0].stages:
                    raise UserError(f"{arm.name}: choose needs stage evaluate; got {', '.join(tried[0].stages)}")
            above = [other.name for other in ancestors(arm, arms) if other.choose] if arm.choose else []
            if above:
                raise UserError(
                    f"{arm.name}: choose must not stand in an arm that builds on another with a choice; {above[0]} has one"
                )
        for job in jobs:
            if job.name == self.spec.compared and "evaluate" not in job.stages:
                raise UserError(f"compared must be an arm that is evaluated; {job.name} has {', '.join(job.stages)}")
        return jobs

    def drafts(self) -> list[Draft]:
        """Every arm with the first seed, after those it builds on.

        Raises:
            UserError: an arm cannot run; the message names it.
        """
        made = []
        for arm in ordered(self.spec.arms()):
            try:
                job, composition = self._job(arm, self.spec.seeds[0], None, finished=False)
                config = chain.configuration(composition, self.spec.seeds[0])
                made.append(Draft(job, config, self._made_by(arm.name, self.spec.seeds[0], False).model))
            except UserError as error:
                raise UserError(f"{arm.name}: {error}") from None
        return made

    def _job(self, arm: Arm, seed: int, own: Sequence[str] | None, finished: bool) -> tuple[Job, Composition]:
        own = self.chosen.get(arm.name, arm.overrides) if own is None else own
        overrides = (f"scale={self.scale}", written("root", self.root), *self.given, *own)
        composition = _composition((f"+experiment={arm.experiment}", *overrides))
        stages = _stages(composition)
        if arm.sources:
            made = {name: self._made_by(name, seed, finished) for name in arm.sources}
            overrides += chain.overrides_of(arm, stages, (*self.given, *own), made)
            composition = _composition((f"+experiment={arm.experiment}", *overrides))
            stages = _stages(composition)
            chain.check(arm, chain.configuration(composition, seed))
        directory = run_directory(composition, seed)
        return Job(arm.name, arm.experiment, seed, overrides, directory, stages), composition

    def _made_by(self, name: str, seed: int, finished: bool) -> chain.Made:
        """What an arm leaves for others; looked up once."""
        key = (name, seed, finished)
        if key not in self._made:
            arm = next(arm for arm in self.spec.arms() if arm.name == name)
            job, composition = self._job(arm, seed, None, finished)
            before = [self._made_by(source, seed, finished) for source in arm.start]
            config = chain.configuration(composition, seed)
            self._made[key] = chain.made_by(config, job.directory, before, finished)
        return self._made[key]

    def _tasks(self, runs: Sequence[tuple[Arm, tuple[str, ...] | None, int]]) -> list[Task]:
        place = {(arm.name, seed): number for number, (arm, own, seed) in enumerate(runs) if own is None}

        def task(arm: Arm, own: tuple[str, ...] | None, seed: int) -> Task:
            after = tuple(place[name, seed] for name in arm.sources)
            return Task(arm.name, seed, lambda: self.job(arm, seed, own), after)

        return [task(*run) for run in runs]


@cache
def _composition(overrides: tuple[str, ...]) -> Composition:
    """Composed once for all seeds of an arm."""
    plugin.register()  # a suite may run on a cluster
    return compose(overrides)


def _stages(composition: Composition) -> tuple[str, ...]:
    return () if OmegaConf.is_missing(composition.node, "stages") else tuple(composition.node.stages)
