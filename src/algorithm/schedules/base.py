"""What a schedule of the alignment factor B g is, and the controller that gives the factor at each step."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Number = (int, float)


@dataclass(frozen=True)
class Observed:
    """The rollouts of a step as a controller sees them, [N] each: the reward (None: does not apply), the language of
    the reasoning (None: unknown), that of the query, which prompt is answered, and whether the answer is right (by default
    where the reward is above 0)."""

    rewards: Sequence[float | None]
    reasoning: Sequence[str | None]
    query: Sequence[str]
    groups: Sequence[Hashable]
    right: Sequence[bool] | None = None

    @property
    def correct(self) -> Sequence[bool]:
        """Whether each answer is right."""
        if self.right is not None:
            return self.right
        return [reward is not None and reward > 0 for reward in self.rewards]


@dataclass(frozen=True)
class Schedule:
    """Settings of an alignment factor, at most `maximum` (B).

    `per_language` gives a language of the query values of its own for any field: `per_language.sw.maximum=4`.
    """

    maximum: float = 2.0
    per_language: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self) -> Controller:
        """The controller, at the beginning of training."""
        raise NotImplementedError(f"{type(self).__name__} does not say what runs it")

    def of(self, language: str | None) -> Self:
        """The schedule of one language of the query; this one where the language has nothing of its own."""
        own = self.per_language.get(language) if language is not None else None
        return dataclasses.replace(self, **own, per_language={}) if own else self

    def rules(self) -> list[str]:
        """Every broken rule about the values of one language."""
        return [f"schedule.maximum must be 0 or more; got {self.maximum}"] if self.maximum < 0 else []

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = self.rules()
        defaults = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        del defaults["per_language"]
        for language, own in self.per_language.items():
            where = f"schedule.per_language.{language}"
            wrong = [
                f"{where} must name settings of the schedule: {', '.join(defaults)}; got {name!r}"
                for name in own
                if name not in defaults
            ]
            wrong += [
                f"{where}.{name} must be a {type(defaults[name]).__name__}; got {value!r}"
                for name, value in own.items()
                if name in defaults and not _fits(value, defaults[name])
            ]
            if not wrong:
                wrong = [rule.replace("schedule", where, 1) for rule in self.of(language).rules()]
            violations += wrong
        return violations


def _fits(value: Any, default: Any) -> bool:
    """Whether `value` may stand for `default`: a number for a number, else the same type."""
    if isinstance(default, Number) and not isinstance(default, bool):
        return isinstance(value, Number) and not isinstance(value, bool)
    return isinstance(value, type(default))


class Controller:
    """A schedule at work. It may keep state, which then lives in the checkpoint."""

    def observe(self, observed: Observed) -> None:
        """Take notice of a step's rollouts; called once a step, before their factors are asked for."""

    def factor(self, progress: float, language: str) -> float:
        """B g: what a rollout in the language of its query gains over one in another; `progress` is t / T."""
        raise NotImplementedError(f"{type(self).__name__} does not give a factor")

    def exploration(self, progress: float, language: str) -> float:
        """d: how much a rollout in a rare language gains, where the objective weighs diversity; from 1 to 0."""
        raise NotImplementedError(f"{type(self).__name__} does not give an exploration")

    def metrics(self) -> dict[str, float]:
        """What to log of the state after `observe`."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold, as plain numbers, strings, lists and dictionaries."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave; an empty one is the beginning of training."""


@dataclass(frozen=True)
class Curve(Schedule):
    """A function of progress: B g, with g growing from 0 to 1 between `onset` and `end` (shares of training) along
    `shape`, and never below `floor`."""

    floor: float = 0.1
    onset: float = 0.0
    end: float = 1.0

    def shape(self, u: float) -> float:
        """The curve itself: [0, 1] -> [0, 1]."""
        raise NotImplementedError(f"{type(self).__name__} does not say its shape")

    def rise(self, progress: float) -> float:
        """g without its floor, at `progress` in [0, 1] of training."""
        return self.shape(min(1.0, max(0.0, (progress - self.onset) / (self.end - self.onset))))

    def growth(self, progress: float) -> float:
        """g in [floor, 1]."""
        return max(self.rise(progress), self.floor)

    def start(self) -> Controller:
        return CurveController(self)

    def rules(self) -> list[str]:
        violations = super().rules()
        if not 0 <= self.floor <= 1:
            violations.append(f"schedule.floor must be in [0, 1]; got {self.floor}")
        if not 0 <= self.onset < self.end <= 1:
            violations.append(f"schedule needs 0 <= onset < end <= 1; got onset {self.onset}, end {self.end}")
        return violations


class CurveController(Controller):
    """Follows a curve and keeps no state. As the factor grows, diversity decays: d = 1 - g without its floor.

    What the policy does has no say: the factor grows even where a language is already kept, or is being lost.
    """

    def __init__(self, curve: Curve) -> None:
        self.curve = curve

    def factor(self, progress: float, language: str) -> float:
        own = self.curve.of(language)
        return own.maximum * own.growth(progress)

    def exploration(self, progress: float, language: str) -> float:
        return 1.0 - self.curve.of(language).rise(progress)
