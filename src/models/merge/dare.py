"""DARE (Yu et al. 2024): drop entries of each task vector at random, rescale the others, add.

    theta = theta_0 + scale sum w_i c_i m_i tau_i,   m_i = 0 with probability `drop`, else 1

with c = 1 / (1 - drop), which keeps the expected task vector (`rescale: probability`, as published), or c = |tau|_1 / |m tau|_1,
which keeps its L1 norm (`l1`, as mergekit has it). The mask of a tensor is seeded by (seed, name of the tensor, its first
values), so neither the order of models and tensors nor shards matter.
"""

from __future__ import annotations

import hashlib
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
        factors = self._factors(place, chunks)
        for chunk, masked in self._masked(place, chunks):
            assert chunk.base is not None
            weights = self.weights_of(len(masked))
            scaled = [self.scale * weight * factor for weight, factor in zip(weights, factors, strict=True)]
            yield chunk.base + weighted_sum(scaled, masked)

    def _masked(self, place: Place, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, list[Tensor]]]:
        """Each chunk, with what is left of its task vectors."""
        draws: list[Draw] = []
        for chunk in chunks:
            draws = draws or [self.masks(place, tensor) for tensor in chunk.tensors]
            yield chunk, [delta * draw(delta.shape) for delta, draw in zip(chunk.deltas(), draws, strict=True)]

    def masks(self, place: Place, first: Tensor) -> Draw:
        """What draws the mask of one model's tensor, whose first chunk is `first`; called once for each chunk, in order."""
        import torch

        content = hashlib.blake2b(first.double().contiguous().numpy().tobytes()).hexdigest()
        generator = torch.Generator().manual_seed(derive_seed("dare", self.seed, place.name, content))
        return lambda shape: torch.rand(shape, generator=generator) >= self.drop

    def _factors(self, place: Place, chunks: Iterable[Chunk]) -> list[float]:
        """c of each model."""
        count = next((len(chunk.tensors) for chunk in chunks), 0)
        if self.rescale == "probability":
            return [1 / (1 - self.drop)] * count
        whole, left = [0.0] * count, [0.0] * count
        for chunk, masked in self._masked(place, chunks):
            for index, (delta, kept) in enumerate(zip(chunk.deltas(), masked, strict=True)):
                whole[index] += float(delta.abs().sum())
                left[index] += float(kept.abs().sum())
        return [a / b if b else 0.0 for a, b in zip(whole, left, strict=True)]

    def rules(self) -> list[str]:
        violations = [] if math.isfinite(self.scale) else [f"merge.scale must be a finite number; got {self.scale}"]
        if not 0 <= self.drop < 1:
            violations.append(f"merge.drop must be 0 or more and below 1, a probability; got {self.drop}")
        if self.rescale not in RESCALES:
            violations.append(f"merge.rescale must be one of {', '.join(RESCALES)}; got {self.rescale!r}")
        return violations
