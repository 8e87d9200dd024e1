"""r = accuracy + weight x [reasoning in the language of the query]: the usual fixed language reward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from src.rewards.base import Sample


@dataclass(frozen=True)
class AdditiveLanguage:
    """Pays for the language whether or not the answer is right, and equally from the first step to the last.

    >>> from src.rewards.examples import sample
    >>> AdditiveLanguage(weight=0.5)([sample(correct=True, detected="sw"), sample(correct=False, detected="en")])
    [1.5, 0.0]
    """

    weight: float = 1.0

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]:
        return [float(sample.correct) + self.weight * float(sample.fidelity.in_language) for sample in samples]

    def lowest(self) -> float:
        """The lowest value it gives."""
        return 0.0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        valid = self.weight >= 0 and math.isfinite(self.weight)
        return [] if valid else [f"reward.weight must be 0 or more, and finite; got {self.weight}"]
