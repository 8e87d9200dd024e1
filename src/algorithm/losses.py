"""The policy loss of each token, in three factors (ratio, surrogate, importance weight), and the token weights that
turn per-token values into one loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from src.algorithm.kl import kl_penalty
from src.algorithm.spec import LossSpec


@dataclass(frozen=True)
class PolicyObjective:
    """What a micro-batch adds to the loss, from its tokens' new log-probabilities and entropies [B, T].

    `old`, `sampler` and `reference` are log-probabilities [B, T]: those the ratio is taken to, the sampler's, and the
    reference policy's (None without a KL penalty). `advantage` is [B]; `mask` and `weights` (`token_weights`) [B, T].
    """

    spec: LossSpec
    old: Tensor
    sampler: Tensor
    reference: Tensor | None
    advantage: Tensor
    mask: Tensor
    weights: Tensor

    def __call__(self, new: Tensor, entropy: Tensor) -> Tensor:
        loss, _ = policy_loss(self.spec, new, self.old, self.advantage, self.mask)
        if self.spec.importance_cap:
            loss = loss * importance_weight(self.old, self.sampler, self.spec.importance_cap)
        penalty = self.penalty(new)
        if penalty is not None:
            loss = loss + self.spec.kl_coefficient * penalty
        return (self.weights * (loss - self.spec.entropy_coefficient * entropy)).sum()

    def ratio(self, new: Tensor) -> Tensor:
        """Before clipping, [B, T]."""
        return probability_ratio(new, self.old, self.mask, self.spec.ratio)

    def penalty(self, new: Tensor) -> Tensor | None:
        """The divergence from the reference policy [B, T], nats."""
        if self.reference is None:
            return None
        return kl_penalty(new, self.reference, self.spec.kl_estimator, self.spec.kl_clamp)


def policy_loss(spec: LossSpec, new: Tensor, old: Tensor, advantage: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Per-token loss [B, T] of the surrogate that `spec` names, and the ratio [B, T] before clipping.

    Args:
        new, old: log-probabilities [B, T] of the tokens under the policy being trained and the one before it.
        advantage: [B].
        mask: [B, T], 1 on completion tokens.

    Raises:
        ValueError: an unknown ratio or surrogate.
    """
    ratio = probability_ratio(new, old, mask, spec.ratio)
    if spec.surrogate == "clipped":
        return clipped_surrogate(ratio, advantage, spec.clip_low, spec.clip_high), ratio
    if spec.surrogate == "cispo":
        return cispo_surrogate(new, ratio, advantage, spec.clip_low, spec.clip_high), ratio
    raise ValueError(f"surrogate must be clipped or cispo; got {spec.surrogate!r}")


def probability_ratio(new: Tensor, old: Tensor, mask: Tensor, level: str) -> Tensor:
    """The ratio rho [B, T] of new to old probability, from log-probabilities [B, T].

    `token`: exp(new - old) (PPO). `sequence`: exp(mean of new - old over the tokens in `mask`), the same for every
    token of a sequence, each of which carries its gradient (GSPO, Zheng et al. 2025). It moves far less than a token's, so
    that it needs a narrower clipping interval.

    Raises:
        ValueError: an unknown level.
    """
    if level == "token":
        return torch.exp(new - old)
    if level == "sequence":
        mean = ((new - old) * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
        return torch.exp(mean).expand_as(new)
    raise ValueError(f"ratio must be token or sequence; got {level!r}")


def clipped_surrogate(ratio: Tensor, advantage: Tensor, clip_low: float, clip_high: float) -> Tensor:
    """max(-A rho, -A clip(rho, 1 - low, 1 + high)) [B, T] from rho [B, T] and A [B] (PPO, Schulman et al. 2017).

    A token whose ratio has left the interval in the direction of its advantage carries no gradient any more.
    """
    advantage = advantage[:, None]  # (B, 1)
    clipped = ratio.clamp(1.0 - clip_low, 1.0 + clip_high)
    return torch.maximum(-advantage * ratio, -advantage * clipped)


def cispo_surrogate(new: Tensor, ratio: Tensor, advantage: Tensor, clip_low: float, clip_high: float) -> Tensor:
    """-sg(clip(rho, 1 - low, 1 + high)) A log pi_new [B, T], sg stopping the gradient (MiniMax-M1, CISPO, 2025).

    Every token keeps its gradient, and so nothing but the weight's bound holds an update back from going too far.
    """
    weight = ratio.detach().clamp(1.0 - clip_low, 1.0 + clip_high)
    return -weight * advantage[:, None] * new


def importance_weight(trainer: Tensor, sampler: Tensor, cap: float) -> Tensor:
    """min(exp(trainer - sampler), cap) [B, T], without gradient (Yao et al. 2025, truncated importance sampling).

    The cap bounds the variance and leaves a bias: tokens that the sampler finds much less likely weigh too little.

    Args:
        trainer, sampler: log-probabilities [B, T] that trainer and sampler give to the sampled tokens under the same
            weights; they differ by arithmetic, and by anything that one of them leaves out.
    """
    return torch.exp(trainer - sampler).clamp(max=cap).detach()


def token_weights(
    mask: Tensor, aggregation: str, global_tokens: int, global_sequences: int, maximum_tokens: int
) -> Tensor:
    """Weights [B, T] such that the sum of weight x value over all micro-batches and ranks is the loss.

    The counts are those of the whole mini-batch, so any split of it gives the same gradient.

    Args:
        mask: [B, T], 1 on completion tokens.
        aggregation: `token_mean` 1 / all tokens (DAPO), where long completions weigh more; `sequence_mean` 1 / (sequences
            x tokens of the sequence) (GRPO), where a token of a long wrong completion is punished less than one of a
            short; `sequence_sum` 1 / (sequences x `maximum_tokens`) (Dr. GRPO), free of both.

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
