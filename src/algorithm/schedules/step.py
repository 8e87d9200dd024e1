"""All at once: g = 0 before a share `at` of the rise, 1 from there on."""

from __future__ import annotations

from dataclasses import dataclass

from src.algorithm.schedules.base import Curve


@dataclass(frozen=True)
class Step(Curve):
    """A jump. With floor 0 it is the switch of the two-stage methods (`staged`, `phased`)."""

    at: float = 0.5

    def shape(self, u: float) -> float:
        return float(u >= self.at)

    def rules(self) -> list[str]:
        violations = super().rules()
        if not 0 <= self.at <= 1:
            violations.append(f"schedule.at must be in [0, 1]; got {self.at}")
        return violations
