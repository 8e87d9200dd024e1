"""theta = sum w theta_i / sum w: the weighted mean of the models, a model soup (Wortsman et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from src.models.merge.base import Chunk, Place, Rule, weighted_sum

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Linear(Rule):
    """The mean. Only the ratio of the `weights` counts.

    >>> import torch
    >>> Linear(weights=[1, 3])(Place("w"), None, [torch.tensor([0.0, 4.0]), torch.tensor([4.0, 4.0])])
    tensor([3., 4.])
    """

    fewest: ClassVar[int] = 2

    def merged(self, place: Place, chunks: Iterable[Chunk]) -> Iterator[Tensor]:
        for chunk in chunks:
            weights = self.weights_of(len(chunk.tensors))
            yield weighted_sum(weights, chunk.tensors) / math.fsum(weights)

    def rules(self) -> list[str]:
        total = math.fsum(self.weights) if all(map(math.isfinite, self.weights)) else 1.0
        if self.weights and total == 0:
            return [
                f"merge.weights must not add up to 0 with merge=linear, which divides by it; got {list(self.weights)}"
            ]
        return []
