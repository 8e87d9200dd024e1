"""The k largest of many numbers by size, without holding them: exact, in two passes over chunks.

The bits of non-negative float32 numbers, read as integers, have the order of the numbers. So a histogram of the upper 16
bits says in which bucket the k-th largest lies, and one of the lower 16 bits, within that bucket, where.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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


def trims(parts: Iterable[Sequence[Tensor]], share: float) -> list[Trim]:
    """For each of several tensors, of which every part has a chunk, the trim to its k = max(1, floor(share n)) largest |x|;
    empty where that is all of them. The parts are gone through twice; |x| is taken in float32, and of equal ones the first
    are kept."""
    high = _histograms([bits(chunk) >> 16 for chunk in part] for part in parts)
    count = int(high[0].sum()) if high else 0
    k = max(1, math.floor(share * count))
    if k >= count:
        return []
    buckets = [_from_above(histogram, k) for histogram in high]
    low = _histograms(
        [_inside(bits(chunk), bucket) for chunk, (bucket, _) in zip(part, buckets, strict=True)] for part in parts
    )
    made = []
    for (bucket, left), histogram in zip(buckets, low, strict=True):
        place, equal = _from_above(histogram, left)
        threshold = torch.tensor(bucket << 16 | place, dtype=torch.int32).view(torch.float32)
        made.append(Trim(float(threshold), equal))
    return made


def magnitudes(values: Tensor) -> Tensor:
    """|x| in float32."""
    return values.abs().float()


def bits(values: Tensor) -> Tensor:
    """The bits of |x|, flat, int32."""
    return magnitudes(values).reshape(-1).view(torch.int32)


def _inside(values: Tensor, bucket: int) -> Tensor:
    """The lower halves of those bits that lie in a bucket."""
    return values[(values >> 16) == bucket] & (BUCKETS - 1)


def _histograms(parts: Iterable[Sequence[Tensor]]) -> list[Tensor]:
    """How often each of 2^16 digits occurs, for each tensor."""
    totals: list[Tensor] = []
    for part in parts:
        counts = [torch.bincount(digits, minlength=BUCKETS) for digits in part]
        totals = [total + count for total, count in zip(totals, counts, strict=True)] if totals else counts
    return totals


def _from_above(histogram: Tensor, k: int) -> tuple[int, int]:
    """The bucket of the k-th largest, and how many of that bucket are among the k."""
    above = histogram.flip(0).cumsum(0)  # those in a bucket or above it
    place = int(torch.searchsorted(above, torch.tensor(k)))
    bucket = BUCKETS - 1 - place
    return bucket, k - int(above[place] - histogram[bucket])
