"""The k largest of many numbers by size, without holding them: exact, in two passes over chunks.

The bits of non-negative float32 numbers, read as integers, have the order of the numbers. So a histogram of the upper 16
bits says in which bucket the k-th largest lies, and one of the lower 16 bits, within that bucket, where.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

BUCKETS = 2**16


@dataclass
class Trim:
    """Keeps sizes above `threshold`, and of those equal to it the first `equal` that come."""

    threshold: float
    equal: int

    def __call__(self, values: Tensor) -> Tensor:
        """`values` with zeros in the places that are not kept; to be called once for each chunk, in order."""
        sizes = magnitudes(values)
        kept = sizes > self.threshold
        ties = (sizes == self.threshold).view(-1)
        chosen = ties & (ties.cumsum(0) <= self.equal)
        self.equal -= int(chosen.sum())
        return values * (kept | chosen.view_as(kept))


def largest(chunks: Iterable[Tensor], k: int) -> Trim:
    """The trim to the `k` (1 or more) largest |x| of all `chunks`, which are gone through twice; |x| is taken in float32,
    and of equal ones the first are kept."""
    high = _histogram(bits(chunk) >> 16 for chunk in chunks)
    bucket, left = _from_above(high, k)
    low = _histogram(b[(b >> 16) == bucket] & (BUCKETS - 1) for b in map(bits, chunks))
    place, equal = _from_above(low, left)
    threshold = torch.tensor(bucket << 16 | place, dtype=torch.int32).view(torch.float32)
    return Trim(float(threshold), equal)


def magnitudes(values: Tensor) -> Tensor:
    """|x| in float32."""
    return values.abs().float()


def bits(values: Tensor) -> Tensor:
    """The bits of |x|, flat, int32."""
    return magnitudes(values).reshape(-1).view(torch.int32)


def _histogram(digits: Iterable[Tensor]) -> Tensor:
    total = torch.zeros(BUCKETS, dtype=torch.int64)
    for part in digits:
        total += torch.bincount(part, minlength=BUCKETS)
    return total


def _from_above(histogram: Tensor, k: int) -> tuple[int, int]:
    """The bucket of the k-th largest, and how many of that bucket are among the k."""
    above = histogram.flip(0).cumsum(0)  # those in a bucket or above it
    place = int(torch.searchsorted(above, torch.tensor(k)))
    bucket = BUCKETS - 1 - place
    return bucket, k - int(above[place] - histogram[bucket])
