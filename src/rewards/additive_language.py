"""r = accuracy + weight x [reasoning in the language of the query]: the usual fixed language reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.rewards.base import Judged


@dataclass(frozen=True)
class AdditiveLanguage:
    """Pays for the language whether or not the answer is right, and equally from the first step to the last."""

    weight: float = 1.0

    def __call__(self, judged: Sequence[Judged]) -> list[float | None]:
        return [float(row.correct) + self.weight * float(row.fidelity.in_language) for row in judged]

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        return [f"reward.weight must be 0 or more; got {self.weight}"] if self.weight < 0 else []
