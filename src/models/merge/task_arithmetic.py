"""theta = theta_0 + scale sum w_i (theta_i - theta_0): task vectors are added (Ilharco et al. 2023)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from src.models.merge.base import Chunk, Place, Rule, weighted_sum

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TaskArithmetic(Rule):
    """The base plus `scale` x the sum of the weighted task vectors; a negative weight takes a task away.

    >>> import torch
    >>> base, model = torch.tensor([1.0, 1.0]), torch.tensor([1.5, 0.0])
    >>> TaskArithmetic(scale=2.0)(Place("w"), base, [model])
    tensor([ 2., -1.])
    """

    scale: float = 1.0

    needs_base: ClassVar[bool] = True

    def merged(self, place: Place, chunks: Iterable[Chunk]) -> Iterator[Tensor]:
        for chunk in chunks:
            assert chunk.base is not None
            deltas = chunk.deltas()
            yield chunk.base + weighted_sum(self.weights_of(len(deltas)), deltas) * self.scale

    def rules(self) -> list[str]:
        return [] if math.isfinite(self.scale) else [f"merge.scale must be a finite number; got {self.scale}"]
