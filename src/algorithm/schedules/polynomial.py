"""A power of progress: g = u^p."""

from __future__ import annotations

from dataclasses import dataclass

from src.algorithm.schedules.base import Curve


@dataclass(frozen=True)
class Polynomial(Curve):
    """Slow at first for a `power` above 1, fast at first below; 1 is a straight line."""

    power: float = 2.0

    def shape(self, u: float) -> float:
        return float(u**self.power)

    def rules(self) -> list[str]:
        violations = super().rules()
        if not self.power > 0:
            violations.append(
                f"schedule.power must be above 0; got {self.power}. For g = 1 throughout take schedule=constant"
            )
        return violations
