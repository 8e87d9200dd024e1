"""Any curve, through given points."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from src.algorithm.schedules.base import Curve, Number


@dataclass(frozen=True)
class Piecewise(Curve):
    """Straight lines between `points`, each [share of the rise, growth], both in [0, 1], the shares ascending. Before
    the first point g is the first one's, after the last the last one's."""

    points: list[Any] = field(default_factory=lambda: [[0.0, 0.0], [0.4, 0.2], [0.6, 0.8], [1.0, 1.0]])

    def shape(self, u: float) -> float:
        if u <= self.points[0][0]:
            return float(self.points[0][1])
        for (left, low), (right, high) in pairwise(self.points):
            if u <= right:
                return float(low + (high - low) * (u - left) / (right - left))
        return float(self.points[-1][1])

    def rules(self) -> list[str]:
        violations = super().rules()
        wrong = [point for point in self.points if not _is_point(point)]
        if wrong or not self.points:
            given = wrong[0] if wrong else "no point"
            violations.append(f"schedule.points must be pairs [share of the rise, growth], both in [0, 1]; got {given}")
        elif any(one[0] >= other[0] for one, other in pairwise(self.points)):
            violations.append(f"schedule.points must be in ascending order of their first number; got {self.points}")
        return violations


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(value, Number) and not isinstance(value, bool) and 0 <= value <= 1 for value in point)
    )
