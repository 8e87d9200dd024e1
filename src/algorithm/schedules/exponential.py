"""Slow, then fast, or the other way round: g = (e^(ku) - 1) / (e^k - 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from src.algorithm.schedules.base import Curve

STEEPEST = 100.0


@dataclass(frozen=True)
class Exponential(Curve):
    """Grows by a constant factor. `rate` is k: above 0 late, below 0 early, 0 a straight line."""

    rate: float = 4.0

    def shape(self, u: float) -> float:
        return math.expm1(self.rate * u) / math.expm1(self.rate) if self.rate else u

    def rules(self) -> list[str]:
        violations = super().rules()
        if not abs(self.rate) <= STEEPEST:
            violations.append(
                f"schedule.rate must be in [-{STEEPEST:g}, {STEEPEST:g}]; got {self.rate}. For a jump take schedule=step"
            )
        return violations
