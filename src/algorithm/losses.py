"""The clipped surrogate and the token weights that turn per-token values into one loss."""

from __future__ import annotations

import torch
from torch import Tensor


def clipped_surrogate(
    new: Tensor, old: Tensor, advantage: Tensor, clip_low: float, clip_high: float
) -> tuple[Tensor, Tensor]:
    """Per-token loss max(-A rho, -A clip(rho, 1 - low, 1 + high)) [B, T], and the raw ratio rho [B, T] (PPO).

    Args:
        new, old: log-probabilities [B, T] of the tokens under the policy being trained and the one that sampled.
        advantage: [B].
    """
    ratio = torch.exp(new - old)
    advantage = advantage[:, None]
    clipped = ratio.clamp(1.0 - clip_low, 1.0 + clip_high)
    return torch.maximum(-advantage * ratio, -advantage * clipped), ratio


def token_weights(
    mask: Tensor, aggregation: str, global_tokens: int, global_sequences: int, maximum_tokens: int
) -> Tensor:
    """Weights [B, T] such that the sum of weight x value over all micro-batches and ranks is the loss.

    The counts are those of the whole mini-batch, so any split of it gives the same gradient.

    Args:
        mask: [B, T], 1 on completion tokens.
        aggregation: `token_mean` 1 / all tokens; `sequence_mean` 1 / (sequences x tokens of the sequence);
            `sequence_sum` 1 / (sequences x `maximum_tokens`).

    Raises:
        ValueError: an unknown aggregation.
    """
    if aggregation == "token_mean":
        return mask / max(1, global_tokens)
    if aggregation == "sequence_mean":
        return mask / (mask.sum(-1, keepdim=True).clamp(min=1) * global_sequences)
    if aggregation == "sequence_sum":
        return mask / (maximum_tokens * global_sequences)
    raise ValueError(f"aggregation must be token_mean, sequence_mean or sequence_sum; got {aggregation!r}")
