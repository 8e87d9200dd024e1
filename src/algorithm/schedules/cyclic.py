"""Explore and settle in turns: g = (1 - cos((2n - 1) pi u)) / 2."""

from __future__ import annotations

import math
from dataclasses import dataclass

from src.algorithm.schedules.base import Curve


@dataclass(frozen=True)
class Cyclic(Curve):
    """Rises from 0 to 1 `cycles` times (n), falling back to 0 in between; it ends at 1. One cycle is `cosine`."""

    cycles: int = 3

    def shape(self, u: float) -> float:
        return (1.0 - math.cos((2 * self.cycles - 1) * math.pi * u)) / 2.0

    def rules(self) -> list[str]:
        violations = super().rules()
        if not (self.cycles >= 1 and self.cycles % 1 == 0):
            violations.append(f"schedule.cycles must be a whole number, at least 1; got {self.cycles}")
        return violations
