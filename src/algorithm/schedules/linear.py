"""A straight line: g = max(t / T, floor)."""

from __future__ import annotations

from dataclasses import dataclass

from src.algorithm.schedules.base import Curve


@dataclass(frozen=True)
class Linear(Curve):
    """Grows in proportion to progress."""

    def shape(self, u: float) -> float:
        return u
