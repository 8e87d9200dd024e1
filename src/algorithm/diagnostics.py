"""Numbers that tell how an update went; none of them enters the loss."""

from __future__ import annotations

from torch import Tensor


def clipped_tokens(ratio: Tensor, advantage: Tensor, clip_low: float, clip_high: float) -> Tensor:
    """1.0 [B, T] where clipping takes the gradient away: the ratio [B, T] has left [1 - `clip_low`, 1 + `clip_high`] in
    the direction that the advantage [B] pushes it (PPO, Schulman et al. 2017)."""
    advantage = advantage[:, None]  # (B, 1)
    high = (advantage > 0) & (ratio > 1.0 + clip_high)
    low = (advantage < 0) & (ratio < 1.0 - clip_low)
    return (high | low).float()
