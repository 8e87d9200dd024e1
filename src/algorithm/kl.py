"""Estimators of the divergence from the reference policy, per token (Schulman, Approximating KL Divergence)."""

from __future__ import annotations

import torch
from torch import Tensor

EXPONENT = 80.0  # exp overflows float32 at 88.7


def kl_penalty(new: Tensor, reference: Tensor, estimator: str, clamp: float = 10.0) -> Tensor:
    """KL(new || reference) estimated on sampled tokens, nats; same shape as the log-probabilities given.

    With d = log pi_new - log pi_ref: `k1` d; `abs` |d|; `k2` d^2 / 2; `k3` exp(-d) - 1 + d, clamped to +-`clamp`.
    Assumes tokens that pi_new sampled. As values k1 and, but for its clamp, k3 are unbiased, `abs` and k2 are not; where
    `k3` is clamped it has no gradient.

    Raises:
        ValueError: an unknown estimator.
    """
    difference = new - reference  # d
    if estimator == "k1":
        return difference
    if estimator == "abs":
        return difference.abs()
    if estimator == "k2":
        return 0.5 * difference**2
    if estimator == "k3":
        # The outer clamp alone would hide an overflow of exp in the value but not in the gradient (0 x inf).
        grown = torch.exp((-difference).clamp(max=EXPONENT))
        return (grown - 1.0 + difference).clamp(-clamp, clamp)
    raise ValueError(f"estimator must be k1, abs, k2 or k3; got {estimator!r}")
