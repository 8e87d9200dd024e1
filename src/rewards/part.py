"""One part of a composed reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from src.rewards.base import Sample
from src.rewards.gates import GATES

NORMALISERS = ("none", "mean", "std")


@dataclass  # not frozen, for Hydra composes into it
class Part:
    """`weight` x what `reward` gives, for the samples for which all `gates` are open (`src.rewards.gates`); `weight` x
    `otherwise` for the others.

    `normalise`: the values are taken relative to those of the same prompt before they are weighted, as in GDPO: `mean`
    is x - mean, `std` is (x - mean) / (std + 1e-6), `none` is x.
    """

    reward: Any = None
    weight: float = 1.0
    gates: list[str] = field(default_factory=list)
    otherwise: float = 0.0
    normalise: str = "none"

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]:
        """The weighted value of each sample; None where the reward does not apply, though its gates are open."""
        values = [
            value if all(GATES[gate](sample) for gate in self.gates) else self.otherwise
            for sample, value in zip(samples, self.reward(samples), strict=True)
        ]
        if self.normalise != "none":
            values = self._relative(values, [sample.group for sample in samples])
        return [None if value is None else self.weight * value for value in values]

    def _relative(self, values: Sequence[float | None], groups: Sequence[int]) -> list[float | None]:
        import torch

        from src.algorithm.advantages import group_index, normalise

        applies = [index for index, value in enumerate(values) if value is not None]
        relative: list[float | None] = [None] * len(values)
        if applies:
            scores = torch.tensor([values[index] for index in applies], dtype=torch.float64)  # (N,)
            of_group, count = group_index([groups[index] for index in applies])
            for index, value in zip(applies, normalise(scores, of_group, count, self.normalise).tolist(), strict=True):
                relative[index] = value
        return relative
