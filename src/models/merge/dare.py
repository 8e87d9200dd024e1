"""DARE (Yu et al. 2024): drop entries of each task vector at random, rescale the others, add.

    theta = theta_0 + scale sum w_i c_i m_i tau_i,   m_i = 0 with probability `drop`, else 1

with c = 1 / (1 - drop), which keeps the expected task vector (`rescale: probability`, as published), or c = |tau|_1 / |m tau|_1,
which keeps its L1 norm (`l1`, as mergekit has it). A mask is seeded by (seed, name of the tensor, the model's rank by the size
of its task vector in it), so neither the order of models and tensors nor shards matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from src.common.seeds import derive_seed
from src.models.merge.base import Chunk, Place, Rule, weighted_sum

if TYPE_CHECKING:
    from torch import Tensor

Draw = Callable[[Sequence[int]], "Tensor"]

RESCALES = ("probability", "l1")


@dataclass(frozen=True)
class Dare(Rule):
    """`drop` is the probability with which an entry of a task vector is dropped.

    >>> import torch
    >>> base, model = torch.zeros(1000), torch.ones(1000)
    >>> merged = Dare(drop=0.5)(Place("w"), base, [model])
    >>> sorted(set(merged.tolist())), 450 < int((merged > 0).sum()) < 550
    ([0.0, 2.0], True)
    """

    scale: float = 1.0
    drop: float = 0.5
    rescale: str = "probability"
    seed: int = 0

    needs_base: ClassVar[bool] = True

    def merged(self, place: Place, chunks: Iterable[Chunk]) -> Iterator[Tensor]:
        norms = _norms(chunk.deltas() for chunk in chunks)
        left = norms
        if self.rescale == "l1":
            left = _norms(masked for _, masked in self._masked(place, chunks, norms))
        for chunk, masked in self._masked(place, chunks, norms):
            assert chunk.base is not None
            factors = [self._factor(*pair) for pair in zip(norms, left, strict=True)]
            scaled = [self.scale * w * c for w, c in zip(self.weights_of(len(masked)), factors, strict=True)]
            yield chunk.base + weighted_sum(scaled, masked)

    def _factor(self, norm: float, left: float) -> float:
        """c of a task vector, from its L1 norm and that of what is left of it."""
        if self.rescale == "probability":
            return 1 / (1 - self.drop)
        return norm / left if left else 0.0

    def _masked(
        self, place: Place, chunks: Iterable[Chunk], norms: Sequence[float]
    ) -> Iterator[tuple[Chunk, list[Tensor]]]:
        """Each chunk, with what is left of its task vectors."""
        order = sorted(range(len(norms)), key=lambda index: norms[index])
        draws = [self.masks(place, order.index(index)) for index in range(len(norms))]
        for chunk in chunks:
            yield chunk, [delta * draw(delta.shape) for delta, draw in zip(chunk.deltas(), draws, strict=True)]

    def masks(self, place: Place, rank: int) -> Draw:
        """What draws the mask of one model's tensor; called once for each chunk, in order."""
        import torch

        generator = torch.Generator().manual_seed(derive_seed("dare", self.seed, place.name, rank))
        return lambda shape: torch.rand(shape, generator=generator) >= self.drop

    def rules(self) -> list[str]:
        violations = [] if math.isfinite(self.scale) else [f"merge.scale must be a finite number; got {self.scale}"]
        if not 0 <= self.drop < 1:
            violations.append(f"merge.drop must be 0 or more and below 1, a probability; got {self.drop}")
        if self.rescale not in RESCALES:
            violations.append(f"merge.rescale must be one of {', '.join(RESCALES)}; got {self.rescale!r}")
        return violations


def _norms(parts: Iterable[Sequence[Tensor]]) -> list[float]:
    """The L1 norm of each tensor, over all parts."""
    columns = [[float(values.abs().sum()) for values in part] for part in parts]
    return [math.fsum(column) for column in zip(*columns, strict=True)]
