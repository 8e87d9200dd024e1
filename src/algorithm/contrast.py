"""How accurate reasoning in the language of the query is beside reasoning in another, on the same prompts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

PRIOR = 0.5  # accuracy in and out of the language before anything was observed: B* = 0


@dataclass
class Contrast:
    """Running sums over the mixed groups of one language of the query; a group has n rollouts, n_in of them in the
    language, and k_in, k_out right ones. The ratio of the two accuracies is that of Mantel and Haenszel (1959): only
    rollouts of the same prompt are compared, so that easy prompts do not pass for an easy language. Assumes that the
    ratio is the same on every prompt; a group all in the language, or all out of it, carries no signal."""

    weight: float = 0.0  # sum of n_in n_out / n
    right_in: float = 0.0  # sum of k_in n_out / n
    right_out: float = 0.0  # sum of k_out n_in / n
    spread: float = 0.0  # numerator of the variance of the log ratio (Greenland and Robins, 1985)

    def fade(self, memory: float) -> None:
        """Weigh the past by `memory`; a variance has its square."""
        self.weight *= memory
        self.right_in *= memory
        self.right_out *= memory
        self.spread *= memory * memory

    def add(self, n_in: int, n_out: int, k_in: int, k_out: int) -> None:
        """Count one group."""
        n = n_in + n_out
        k = k_in + k_out
        self.weight += n_in * n_out / n
        self.right_in += k_in * n_out / n
        self.right_out += k_out * n_in / n
        self.spread += n_in * n_out * k / n**2 - k_in * k_out / n


@dataclass(frozen=True)
class Estimate:
    """Of one language of the query. `error` is the standard error of B*, infinite while nothing bears on it."""

    accuracy_in: float
    accuracy_out: float
    bonus: float  # B* = p_out / p_in - 1
    error: float


def estimate(own: Contrast, every: Contrast, shrinkage: float) -> Estimate:
    """p_in, p_out, B* and its standard error, drawn to those of all languages by `shrinkage` units of weight, which
    are themselves drawn to 1/2 by one unit.

    The error is that of the data alone, |1 + B*| sd(log ratio) by the delta method; it does not count what is drawn
    from the other languages, nor the change of the policy within the memory.
    """
    pooled_in = (every.right_in + PRIOR) / (every.weight + 1.0)
    pooled_out = (every.right_out + PRIOR) / (every.weight + 1.0)
    weight = own.weight + shrinkage
    p_in = (own.right_in + shrinkage * pooled_in) / weight
    p_out = (own.right_out + shrinkage * pooled_out) / weight
    ratio = p_out / p_in
    product = own.right_in * own.right_out
    error = ratio * math.sqrt(max(0.0, own.spread) / product) if product > 0 else math.inf
    return Estimate(p_in, p_out, ratio - 1.0, error)


def total(contrasts: Iterable[Contrast]) -> Contrast:
    """The sums over several languages."""
    every = Contrast()
    for contrast in contrasts:
        for name, value in vars(contrast).items():
            setattr(every, name, getattr(every, name) + value)
    return every
