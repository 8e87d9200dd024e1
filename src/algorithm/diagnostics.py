"""Numbers that tell how an update went; none of them enters the loss."""

from __future__ import annotations

from torch import Tensor


def clipped_tokens(ratio: Tensor, advantage: Tensor, clip_low: float, clip_high: float) -> Tensor:
    """1.0 [B, T] where clipping takes the gradient away: the ratio has left the interval in the direction that
    the advantage [B] pushes it."""
    advantage = advantage[:, None]
    high = (advantage > 0) & (ratio > 1.0 + clip_high)
    low = (advantage < 0) & (ratio < 1.0 - clip_low)
    return (high | low).float()


def clip_fraction(ratio: Tensor, advantage: Tensor, mask: Tensor, clip_low: float, clip_high: float) -> float:
    """Share of the tokens in `mask` [B, T] that are clipped."""
    return float((clipped_tokens(ratio, advantage, clip_low, clip_high) * mask).sum() / mask.sum().clamp(min=1))


def approximate_kl(new: Tensor, old: Tensor, mask: Tensor) -> float:
    """Mean of log pi_old - log pi_new over the tokens in `mask`, nats: how far the update has gone."""
    return float(((old - new) * mask).sum() / mask.sum().clamp(min=1))
