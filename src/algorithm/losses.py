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
    reference policy's (None without a KL penalty). `advantage` is [B]; `mask` and `weights` (`token_weights`) [B, T], and so
    is `uncertain` (1 on the tokens that `top_entropy` keeps; None: all).
    """

    spec: LossSpec
    old: Tensor
    sampler: Tensor
    reference: Tensor | None
    advantage: Tensor
    mask: Tensor
    weights: Tensor
    uncertain: Tensor | None = None

    def __call__(self, new: Tensor, entropy: Tensor) -> Tensor:
        loss, _ = policy_loss(self.spec, new, self.old, self.advantage, self.mask)
        counted = self.counted(new)
        if counted is not None:
            loss = loss * counted
        if self.spec.importance_cap:
            loss = loss * importance_weight(self.old, self.sampler, self.spec.importance_cap)
        penalty = self.penalty(new)
        if penalty is not None:
            loss = loss + self.spec.kl_coefficient * penalty
        if self.uncertain is not None:
            entropy = entropy * self.uncertain
        return (self.weights * (loss - self.spec.entropy_coefficient * entropy)).sum()

    def counted(self, new: Tensor) -> Tensor | None:
        """1 on the tokens [B, T] whose surrogate counts, else 0; None where every token counts."""
        if not self.spec.off_policy_threshold:
            return self.uncertain
        near = near_the_sampler(new, self.sampler, self.advantage, self.mask, self.spec.off_policy_threshold)
        return near if self.uncertain is None else near * self.uncertain

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
        return clipped_surrogate(ratio, advantage, spec.clip_low, spec.clip_high, spec.ratio_cap), ratio
    if spec.surrogate == "cispo":
        return cispo_surrogate(new, ratio, advantage, spec.clip_low, spec.clip_high), ratio
    if spec.surrogate == "sapo":
        return sapo_surrogate(ratio, advantage, spec.temperature_positive, spec.temperature_negative), ratio
    raise ValueError(f"surrogate must be clipped, cispo or sapo; got {spec.surrogate!r}")


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


def clipped_surrogate(ratio: Tensor, advantage: Tensor, clip_low: float, clip_high: float, cap: float = 0.0) -> Tensor:
    """max(-A rho, -A clip(rho, 1 - low, 1 + high)) [B, T] from rho [B, T] and A [B] (PPO, Schulman et al. 2017).

    A token whose ratio has left the interval in the direction of its advantage carries no gradient any more. Where `cap` is
    above 0, rho is first bounded by it: min(-A cap, ...) where A < 0 (dual clip, Ye et al. 2020; two-sided clip of
    INTELLECT-2), and from 1 + `clip_high` on nothing else where A > 0.
    """
    advantage = advantage[:, None]  # (B, 1)
    clipped = ratio.clamp(1.0 - clip_low, 1.0 + clip_high)
    if cap:
        ratio = ratio.clamp(max=cap)
    return torch.maximum(-advantage * ratio, -advantage * clipped)


def cispo_surrogate(new: Tensor, ratio: Tensor, advantage: Tensor, clip_low: float, clip_high: float) -> Tensor:
    """-sg(clip(rho, 1 - low, 1 + high)) A log pi_new [B, T], sg stopping the gradient (MiniMax-M1, CISPO, 2025).

    Every token keeps its gradient, and so nothing but the weight's bound holds an update back from going too far.
    """
    weight = ratio.detach().clamp(1.0 - clip_low, 1.0 + clip_high)
    return -weight * advantage[:, None] * new


def sapo_surrogate(ratio: Tensor, advantage: Tensor, positive: float, negative: float) -> Tensor:
    """-A (4 / tau) sigmoid(tau (rho - 1)) [B, T], tau being `positive` where A > 0, else `negative` (SAPO, Gao et al. 2025).

    The gradient of rho is that of PPO times 4 sigmoid (1 - sigmoid): 1 at rho = 1, and falling smoothly away from it.
    """
    advantage = advantage[:, None]  # (B, 1)
    temperature = torch.where(advantage > 0, positive, negative).to(ratio.dtype)
    return -advantage * (4.0 / temperature) * torch.sigmoid(temperature * (ratio - 1.0))


@torch.no_grad()
def near_the_sampler(new: Tensor, sampler: Tensor, advantage: Tensor, mask: Tensor, threshold: float) -> Tensor:
    """0.0 [B, T] on the sequences with A < 0 whose mean of log sampler - log new a token is above `threshold` (nats), else
    1.0 (off-policy sequence mask, DeepSeek-V3.2, 2025). All [B, T] but the advantage [B]; without gradient."""
    gone = ((sampler - new) * mask).sum(-1) / mask.sum(-1).clamp(min=1)  # (B,)
    dropped = (advantage < 0) & (gone > threshold)
    return (~dropped).to(new.dtype)[:, None].expand_as(new)


def entropy_threshold(entropies: Tensor, share: float) -> float:
    """The entropy (nats) from which on a token is among the `share` of least sure ones: the quantile 1 - `share` of those of
    all tokens [N] of the mini-batch (Wang et al. 2025, Beyond the 80/20 Rule). Infinite where there are none."""
    if not len(entropies):
        return float("inf")
    ordered = entropies.double().sort().values
    place = (1.0 - share) * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


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
