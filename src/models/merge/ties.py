"""TIES (Yadav et al. 2023): trim each task vector, elect a sign for each weight, average those that agree.

tau_i   = theta_i - theta_0, but for its k = max(1, floor(density n)) largest |.| of the tensor 0
sign    = sign of sum w_i tau_i (0 counts as +)
theta   = theta_0 + scale (sum w_i tau_i) / (sum w_i) over the tau_i of that sign; theta_0 where there are none
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from src.models.merge.base import Chunk, Place, Rule

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Ties(Rule):
    """`density` is the share of each task vector that is kept.

    >>> import torch
    >>> base, one, two = torch.zeros(3), torch.tensor([2.0, 0.1, 3.0]), torch.tensor([4.0, 0.2, -1.0])
    >>> Ties(density=0.7)(Place("w"), base, [one, two])
    tensor([3., 0., 3.])
    """

    scale: float = 1.0
    density: float = 0.2

    needs_base: ClassVar[bool] = True

    def merged(self, place: Place, chunks: Iterable[Chunk]) -> Iterator[Tensor]:
        import torch

        from src.models.merge.trim import trims

        cuts = [] if self.density == 1 else trims(_Deltas(chunks), self.density)
        for chunk in chunks:
            assert chunk.base is not None
            deltas = chunk.deltas()
            if cuts:
                deltas = [cut(delta) for cut, delta in zip(cuts, deltas, strict=True)]
            weights = self.weights_of(len(deltas))
            weighted = [weight * delta for weight, delta in zip(weights, deltas, strict=True)]
            elected = torch.where(sum(weighted[1:], weighted[0]) >= 0, 1.0, -1.0).double()
            total = torch.zeros_like(chunk.base)
            divisor = torch.zeros_like(chunk.base)
            for weight, delta in zip(weights, weighted, strict=True):
                agrees = delta * elected > 0
                total += delta * agrees
                divisor += weight * agrees
            divisor[divisor == 0] = 1
            yield chunk.base + self.scale * total / divisor

    def rules(self) -> list[str]:
        violations = [] if math.isfinite(self.scale) else [f"merge.scale must be a finite number; got {self.scale}"]
        if not 0 < self.density <= 1:
            violations.append(
                f"merge.density must be above 0 and at most 1, the share of a task vector that is kept; got {self.density}"
            )
        if any(weight < 0 for weight in self.weights):
            violations.append(
                "merge.weights must be 0 or more with merge=ties, which averages those that agree in sign; got "
                f"{list(self.weights)}. To take a task away use merge=task_arithmetic"
            )
        return violations


class _Deltas:
    """The task vectors, chunk by chunk, as often as they are gone through."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[list[Tensor]]:
        return (chunk.deltas() for chunk in self.chunks)
