"""r = 1 for a right answer, 0 otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.rewards.base import Sample


@dataclass(frozen=True)
class Accuracy:
    """The verified answer alone (the base reward of GRPO and of AdaMame).

    >>> from src.rewards.examples import sample
    >>> Accuracy()([sample(correct=True), sample(correct=False)])
    [1.0, 0.0]
    """

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]:
        return [float(sample.correct) for sample in samples]

    def lowest(self) -> float:
        """The lowest value it gives."""
        return 0.0
