"""An S of any steepness: the logistic function, rescaled to begin at 0 and end at 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

from src.algorithm.schedules.base import Curve

FLATTEST = 0.01
STEEPEST = 100.0


@dataclass(frozen=True)
class Sigmoid(Curve):
    """g = (s(u) - s(0)) / (s(1) - s(0)) with s(u) = 1 / (1 + e^(-k (u - c))): k is `steepness`, c the `centre`, where
    it grows fastest."""

    steepness: float = 12.0
    centre: float = 0.5

    def shape(self, u: float) -> float:
        first, last = self._logistic(0.0), self._logistic(1.0)
        return (self._logistic(u) - first) / (last - first)

    def _logistic(self, u: float) -> float:
        return 1.0 / (1.0 + math.exp(-self.steepness * (u - self.centre)))

    def rules(self) -> list[str]:
        violations = super().rules()
        if not FLATTEST <= self.steepness <= STEEPEST:
            violations.append(
                f"schedule.steepness must be in [{FLATTEST:g}, {STEEPEST:g}]; got {self.steepness}. "
                "For a line take schedule=linear, for a jump schedule=step"
            )
        if not 0 <= self.centre <= 1:
            violations.append(f"schedule.centre must be in [0, 1], a share of the rise; got {self.centre}")
        return violations
