"""Log-probabilities in the truncated distribution that a sampler draws from, for the few rollouts that are probed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from src.models.logprobs import Batch, completion_logits, spread
from src.rollout.engines.base import Sampling, truncate

TOKENS_AT_ONCE = 64  # whose logits are held


@torch.no_grad()
def kept_logprobs(
    model: Any, sampling: Sampling, batch: Batch, temperature: float, entropy: str = "none"
) -> tuple[Tensor, Tensor]:
    """Log-probabilities [B, C] of the targets in what `sampling` leaves of the policy, zero where `batch.mask` is zero, and
    zeros for the entropies.

    A target that is cut has log-probability ln p - ln p_last, as far below 0 as it is less likely than the least likely token
    that is kept: near 0 where rounding decided.
    """
    targets = batch.targets[batch.mask.bool()]  # (N,)
    parts = []
    for start, logits in completion_logits(model, batch, TOKENS_AT_ONCE):
        own = targets[start : start + len(logits), None]  # (n, 1)
        whole = torch.log_softmax(logits / temperature, -1)  # (n, V)
        kept = truncate(whole, sampling)
        least = whole.masked_fill(kept == float("-inf"), float("inf")).min(-1, keepdim=True).values
        inside = kept.gather(-1, own)
        parts.append(torch.where(inside == float("-inf"), whole.gather(-1, own) - least, inside).squeeze(-1))
    values = spread(torch.cat(parts) if parts else targets.float(), batch)
    return values, torch.zeros_like(values)
