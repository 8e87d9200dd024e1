"""One part of a composed reward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from src.common.errors import nearest
from src.rewards.base import Sample, check_values, lowest_of, needs_of
from src.rewards.batch import MEASURES
from src.rewards.evidence import SERVED, asks, merged
from src.rewards.settings import MeasureSpec

NORMALISERS = ("none", "mean", "std")
MISSING = ("skip", "zero")


@dataclass  # not frozen, for Hydra composes into it
class Part:
    """`weight` x what the measure `of` or `reward` gives, for the samples for which all `gates` are open; `weight` x
    `otherwise` for the others. A gate is a measure, open where it is above 0 (`src.rewards.measures`).

    `normalise`: the values are taken relative to those of the same prompt before they are weighted, as in GDPO: `mean`
    is x - mean, `std` is (x - mean) / (std + 1e-6), `none` is x.
    """

    reward: Any = None
    of: str = ""
    weight: float = 1.0
    gates: list[str] = field(default_factory=list)
    otherwise: float = 0.0
    normalise: str = "none"

    def __call__(
        self, samples: Sequence[Sample], settings: MeasureSpec | None = None, missing: str = "skip"
    ) -> list[float | None]:
        """The weighted value of each sample; None where the part does not apply (`values`)."""
        values = self.values(samples, settings or MeasureSpec(), missing)
        return [None if value is None else self.weight * value for value in values]

    def values(self, samples: Sequence[Sample], settings: MeasureSpec, missing: str = "skip") -> list[float | None]:
        """The value of each sample before the weight.

        Missing evidence, of the value or of a gate, gives None where `missing` is `skip`, and is 0 where it is `zero`. A
        gate that is closed decides, whatever is missing beside it.
        """
        gates = [MEASURES[gate].values(samples, settings) for gate in self.gates]
        own = MEASURES[self.of].values(samples, settings) if self.of else self.reward(samples)
        check_values(self.of or f"reward {type(self.reward).__name__}", own, samples)
        values: list[float | None] = []
        for index, value in enumerate(own):
            opened = [gate[index] for gate in gates]
            if missing == "zero":
                opened = [gate or 0.0 for gate in opened]
                value = 0.0 if value is None else value
            if any(gate is not None and gate <= 0 for gate in opened):
                value = self.otherwise
            elif None in opened:
                value = None
            values.append(value)
        if self.normalise != "none":
            values = self._relative(values, [sample.group for sample in samples])
        return values

    def needs(self) -> set[str]:
        """The evidence that its measures ask for."""
        names = [name for name in (self.of, *self.gates) if name in MEASURES]
        return {need for name in names for need in MEASURES[name].needs} | (
            needs_of(self.reward) if not self.of else set()
        )

    def asks(self, samples: Sequence[Sample], settings: MeasureSpec) -> dict[str, list[bool]]:
        """Which samples it needs each piece of evidence of: those whose gates are open, as far as the grader, the detector and
        the sample itself say."""
        measures = [MEASURES[name] for name in (self.of, *self.gates) if name in MEASURES]
        rows = {need: [True] * len(samples) for measure in measures for need in measure.needs}
        wanted = merged([rows, asks(self.reward, samples)]) if not self.of else rows
        known = [MEASURES[gate] for gate in self.gates if not MEASURES[gate].batch]
        gates = [gate.values(samples, settings) for gate in known if not SERVED.keys() & set(gate.needs)]
        opened = [all(value is None or value > 0 for value in row) for row in zip(*gates, strict=True)]
        opened = opened or [True] * len(samples)
        return {need: [row and gate for row, gate in zip(own, opened, strict=True)] for need, own in wanted.items()}

    def lowest(self) -> float | None:
        """The lowest it can add; None where its reward does not say."""
        if self.normalise != "none":
            return -math.inf if self.weight else 0.0
        if self.of:
            measure = MEASURES.get(self.of)  # an unknown one is refused by `violations`
            bounds = [measure.low, measure.high] if measure else [0.0]
        else:
            low = lowest_of(self.reward)
            if low is None or self.weight < 0:
                return None if self.weight else 0.0
            bounds = [low]
        bounds += [self.otherwise] if self.gates else []
        return min(self.weight * bound for bound in bounds)

    def violations(self, where: str) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        rules = []
        for gate in self.gates:
            if gate not in MEASURES:
                rules.append(f"{where}.gates must be measures; got {gate!r}. {nearest(gate, list(MEASURES))}")
        for name in ("weight", "otherwise"):
            if not math.isfinite(getattr(self, name)):
                rules.append(f"{where}.{name} must be a finite number; got {getattr(self, name)}")
        if self.normalise not in NORMALISERS:
            rules.append(f"{where}.normalise must be one of {', '.join(NORMALISERS)}; got {self.normalise!r}")
        if self.of and self.of not in MEASURES:
            rules.append(f"{where}.of must be a measure; got {self.of!r}. {nearest(self.of, list(MEASURES))}")
        if self.of and self.reward is not None:
            rules.append(f"{where} must have a measure (of) or a reward, not both; got of={self.of!r}. Leave one out")
        if not self.of and not callable(self.reward):
            rules.append(f"{where}.reward must be a reward; got {self.reward!r}. Or name a measure in {where}.of")
        own = getattr(self.reward, "violations", None)
        return rules + [f"{where}.reward: {rule}" for rule in (own() if own else [])]

    def _relative(self, values: Sequence[float | None], groups: Sequence[int]) -> list[float | None]:
        import torch

        from src.algorithm.advantages import group_index, normalise

        applies = [index for index, value in enumerate(values) if value is not None]
        relative: list[float | None] = [None] * len(values)
        if applies:
            scores = torch.tensor([values[index] for index in applies], dtype=torch.float64)  # (N,)
            of_group, count = group_index([groups[index] for index in applies])
            for index, value in zip(applies, normalise(scores, of_group, count, self.normalise).tolist(), strict=True):
                relative[index] = value
        return relative
