"""Numbers that tell how an update went; none of them enters the loss."""

from __future__ import annotations

from torch import Tensor


def clipped_tokens(ratio: Tensor, advantage: Tensor, clip_low: float, clip_high: float, cap: float = 0.0) -> Tensor:
    """1.0 [B, T] where clipping takes the gradient away: the ratio [B, T] has left [1 - `clip_low`, 1 + `clip_high`] in
    the direction that the advantage [B] pushes it (PPO, Schulman et al. 2017), or is above `cap` (0: none) where the
    advantage is negative."""
    advantage = advantage[:, None]  # (B, 1)
    high = (advantage > 0) & (ratio > 1.0 + clip_high)
    low = (advantage < 0) & (ratio < 1.0 - clip_low)
    if cap:
        low |= (advantage < 0) & (ratio > cap)
    return (high | low).float()
