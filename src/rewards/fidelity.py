"""r = 1 for reasoning in the language of the query, 0 otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.rewards.base import Sample


@dataclass(frozen=True)
class InLanguage:
    """Binary language fidelity of the trace, whatever the answer. Meant as a part of a composed reward: by itself it pays
    for any closed trace in the language.

    >>> from src.rewards.examples import sample
    >>> InLanguage()([sample(detected="sw"), sample(detected="en"), sample(detected=None)])
    [1.0, 0.0, 0.0]
    """

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]:
        return [float(sample.fidelity.in_language) for sample in samples]

    def lowest(self) -> float:
        """The lowest value it gives."""
        return 0.0
