"""What a `runs.yaml` says: experiments, seeds, overrides, and which of them builds on which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from src.common.errors import UserError, nearest
from src.common.registry import choices

FIELDS = ("name", "experiment", "overrides", "choose", "from", "data_from")  # of an entry of `experiments`


@dataclass(frozen=True)
class Arm:
    """One line of the table: an experiment with its overrides. `choose` maps a setting to the values it is chosen
    from, by right-and-in-language on the dev split over the first two seeds.

    `start` (`from` in the file) names the arms whose last models this one starts from: one, or those that it merges.
    `data` (`data_from`) names arms that make its data. Both are runs of the same seed.
    """

    name: str
    experiment: str
    overrides: tuple[str, ...] = ()
    choose: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    start: tuple[str, ...] = ()
    data: tuple[str, ...] = ()

    @staticmethod
    def read(entry: Any, where: Path) -> Arm:
        """From a name, or a mapping with `experiment` and any other of `FIELDS`."""
        if isinstance(entry, str):
            return Arm(entry, entry)
        for key in entry:
            if key not in FIELDS:
                raise UserError(f"{where}: unknown field {key!r} in experiments. {nearest(key, FIELDS)}")
        if "experiment" not in entry:
            raise UserError(f"{where}: field 'experiment' is missing in {entry}; say which experiment it is")
        choose = tuple((key, tuple(values)) for key, values in entry.get("choose", {}).items())
        if len(choose) > 1 or any(len(values) < 2 for _, values in choose):
            raise UserError(f"{where}: choose must give one setting with two or more values; got {entry['choose']}")
        name = entry.get("name", entry["experiment"])
        start, data = (_names(entry, key, where) for key in ("from", "data_from"))
        return Arm(name, entry["experiment"], tuple(entry.get("overrides", ())), choose, start, data)

    def candidates(self) -> list[tuple[str, ...]]:
        """The overrides of every value to choose from; none where nothing is chosen."""
        return [(*self.overrides, f"{key}={value}") for key, values in self.choose for value in values]

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all arms that must have finished before this one, each once."""
        return tuple(dict.fromkeys((*self.start, *self.data)))


@dataclass(frozen=True)
class RunsSpec:
    """The fields of a `runs.yaml`."""

    title: str
    experiments: list[Any]
    seeds: list[int] = field(default_factory=lambda: [0])
    overrides: list[str] = field(default_factory=list)
    scales: dict[str, list[str]] = field(default_factory=dict)  # further overrides at a scale, after those
    jobs: int = 2
    compared: str = ""  # this method is compared with every other, pair by pair
    chosen_by: str = ""  # another folder: arms take over what is chosen there for those of the same name

    @staticmethod
    def read(path: Path) -> RunsSpec:
        """Raises `UserError` for a missing file, an unknown field, or arms that do not fit each other."""
        import yaml

        if not path.is_file():
            raise UserError(f"{path}: no such file. Give a folder that holds runs.yaml, such as experiments/demo")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = list(RunsSpec.__dataclass_fields__)
        for key in content:
            if key not in names:
                raise UserError(f"{path}: unknown field {key!r}. {nearest(key, names)}")
        for key in ("title", "experiments"):
            if key not in content:
                raise UserError(f"{path}: field {key!r} is missing; every runs.yaml has a title and experiments")
        spec = RunsSpec(**content)
        arms = [Arm.read(entry, path) for entry in spec.experiments]
        try:
            _check(arms)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        for name in spec.scales:
            if name not in (known := choices("scale")):
                raise UserError(f"{path}: scales names {name!r}, which is no scale. {nearest(name, known)}")
        if spec.compared and spec.compared not in (known := [arm.name for arm in arms]):
            raise UserError(
                f"{path}: compared names {spec.compared!r}, which is no arm. {nearest(spec.compared, known)}"
            )
        return spec

    def with_given(self, scale: str, seeds: Sequence[int] | None, overrides: Sequence[str]) -> RunsSpec:
        """With what a command line gives: a scale, seeds in place of the file's, overrides behind all of the file."""
        return replace(self, seeds=list(seeds or self.seeds), scales={scale: [*self.scales.get(scale, ()), *overrides]})

    def arms(self) -> list[Arm]:
        return [Arm.read(entry, Path("runs.yaml")) for entry in self.experiments]


def ordered(arms: Sequence[Arm]) -> list[Arm]:
    """Every arm after those it builds on, otherwise as they stand in the file.

    Raises:
        UserError: some arms build on each other in a circle; the message names it.
    """
    left = list(arms)
    placed: list[Arm] = []
    while left:
        done = {arm.name for arm in placed}
        ready = next((arm for arm in left if done.issuperset(arm.sources)), None)
        if ready is None:
            raise UserError(f"arms must not build on each other in a circle; got {' -> '.join(_circle(left))}")
        left.remove(ready)
        placed.append(ready)
    return placed


def ancestors(arm: Arm, arms: Sequence[Arm]) -> list[Arm]:
    """The arms that `arm` builds on, directly or through others, in order."""
    known = {other.name: other for other in arms}
    wanted = set(arm.sources)
    for other in reversed(ordered(arms)):
        if other.name in wanted:
            wanted.update(other.sources)
    return [known[other.name] for other in ordered(arms) if other.name in wanted]


def _check(arms: Sequence[Arm]) -> None:
    """Names are unique, links lead to arms, and in no circle."""
    names = [arm.name for arm in arms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"every experiment needs a name of its own; more than one is called {twice[0]!r}")
    for arm in arms:
        for key, links in (("from", arm.start), ("data_from", arm.data)):
            for name in links:
                if name not in names:
                    raise UserError(f"{arm.name}: {key} names {name!r}, which is no arm. {nearest(name, names)}")
                if name == arm.name:
                    raise UserError(f"{arm.name}: {key} must name another arm; got the arm itself")
            if len(set(links)) < len(links):
                raise UserError(f"{arm.name}: {key} must name each arm once; got {', '.join(links)}")
    ordered(arms)


def _circle(arms: Sequence[Arm]) -> list[str]:
    """The names along a circle, the first one again at the end; every arm builds on another of these."""
    known = {arm.name: arm for arm in arms}
    path = [arms[0].name]
    while path.count(path[-1]) < 2:
        path.append(next(name for name in known[path[-1]].sources if name in known))
    return path[path.index(path[-1]) :]


def _names(entry: Any, key: str, where: Path) -> tuple[str, ...]:
    """One name or a list of names; none where the field is missing."""
    value = entry.get(key, [])
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or (key in entry and not names):
        raise UserError(f"{where}: {key} must be the name of an arm, or a list of names; got {value!r}")
    return tuple(names)
