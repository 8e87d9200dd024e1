"""The published schedule: g = max((1 - cos(pi t / T)) / 2, floor)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from src.algorithm.schedules.base import Curve


@dataclass(frozen=True)
class Cosine(Curve):
    """Half a cosine wave from 0 to 1 (AdaMame, alignment growth)."""

    def shape(self, u: float) -> float:
        return (1.0 - math.cos(math.pi * u)) / 2.0
