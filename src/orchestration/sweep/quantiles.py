"""W&B's distributions by their quantiles: a share of probability from 0 to 1 becomes a value.

So W&B's own engine samples, and so it searches: its Gaussian process lives in these shares, in which every distribution
is uniform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# Distribution -> what its shape is; a `q` makes values multiples of it.
SHAPES = {
    "q_uniform": ("min", "max", "q"),
    "q_log_uniform_values": ("min", "max", "q"),
    "normal": ("mu", "sigma"),
    "q_normal": ("mu", "sigma", "q"),
    "log_normal": ("mu", "sigma"),
    "q_log_normal": ("mu", "sigma", "q"),
    "beta": ("a", "b"),
    "q_beta": ("a", "b", "q"),
}
DEFAULTS = {"mu": 0.0, "sigma": 1.0, "a": 1.0, "b": 1.0, "q": 1.0}
TAIL = 1e-4  # of each end of a distribution without ends, where nothing is searched: 3.7 standard deviations


def quantile(distribution: str, shape: Sequence[float], share: float) -> float:
    """The value of `distribution` (of `SHAPES`) below which lies the `share` of its probability; with a `q` the multiple of
    it that is nearest (of two the even one)."""
    first, second = shape[:2]
    if distribution == "q_uniform":
        value = first + share * (second - first)
    elif distribution == "q_log_uniform_values":
        value = math.exp(math.log(first) + share * (math.log(second) - math.log(first)))
    else:
        from scipy import stats

        if distribution.endswith("beta"):
            value = float(stats.beta.ppf(share, first, second))
        else:
            value = float(stats.norm.ppf(share, first, second))
            value = math.exp(value) if "log" in distribution else value
    return round(value / shape[2]) * shape[2] if distribution.startswith("q_") else value


def ends(distribution: str) -> tuple[float, float]:
    """The shares that are searched."""
    return (TAIL, 1.0 - TAIL) if distribution.endswith("normal") else (0.0, 1.0)


def place(probabilities: Sequence[float], share: float) -> int:
    """Which of several values with these probabilities has the `share`."""
    total = 0.0
    for number, probability in enumerate(probabilities):
        total += probability
        if share < total:
            return number
    return max(number for number, probability in enumerate(probabilities) if probability > 0)
