"""The chance that at least one of k samples is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src.common.errors import UserError


class TooFewSamples(UserError, ValueError):
    """k is no number of samples that can be drawn from n; the message states the rule, the value and the fix."""


def pass_at_k(samples: ArrayLike, right: ArrayLike, k: int) -> NDArray[np.float64]:
    """Unbiased pass@k from `right` of `samples`, element by element: 1 - C(n-c, k) / C(n, k).

    Chen et al. 2021, eq. 1, as 1 - prod_{j<k} (n-c-j) / (n-j), which stays within [0, 1] for any n. With fewer than
    k wrong ones a factor is 0.

    Raises:
        TooFewSamples: k is below 1 or above the smallest n, or a count of right ones is not within [0, n].
    """
    n = np.asarray(samples, dtype=float)
    c = np.asarray(right, dtype=float)
    if k < 1 or (n < k).any():
        raise TooFewSamples(
            f"pass@k needs k within 1 and the number of samples; got k={k} with {n.min(initial=np.inf):g} samples. "
            "Take a smaller k, or evaluate again with a larger evaluation.samples"
        )
    if ((c < 0) | (c > n)).any():
        raise TooFewSamples(f"pass@k needs between 0 and n right samples; got {c.max():g} of {n.min():g}. Count again")
    drawn = np.arange(k)
    return np.asarray(1 - np.prod(((n - c)[..., None] - drawn) / (n[..., None] - drawn), axis=-1))
