"""The full bonus from the first step to the last."""

from __future__ import annotations

from dataclasses import dataclass

from src.algorithm.schedules.base import Curve


@dataclass(frozen=True)
class Constant(Curve):
    """g = 1 throughout (the `const` ablation of AdaMame)."""

    def shape(self, u: float) -> float:
        return 1.0
