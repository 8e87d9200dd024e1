"""Is the sampler the policy? A few rollouts of every round are given to the trainer, and log-probabilities compared.

A sampler that kept old weights, or computes otherwise than the trainer, breaks nothing: it trains another policy on the
wrong ratios, and the reward goes somewhere. So it is measured in every step, and stops the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from src.common.errors import UserError
from src.models.logprobs import Batch, collate
from src.rollout.engines.base import Rollout
from src.rollout.generate import Mismatch
from src.rollout.spec import RolloutSpec

# Nats a token that rounding alone explains: measured means are about 1e-6 and 1e-2.
LIMITS = {"float32": 1e-3, "bfloat16": 0.05}
Logprobs = Callable[[Batch, float, str], tuple[Tensor, Tensor]]


class SamplerMismatch(UserError):
    """The sampler's log-probabilities are not those of the policy that is trained."""


def evenly_spaced(rollouts: Sequence[Rollout], count: int) -> list[int]:
    """Indices of at most `count` rollouts that have tokens, evenly spaced: of several prompts, always the same."""
    indices = [index for index, rollout in enumerate(rollouts) if rollout.tokens]
    count = min(count, len(indices))
    return [indices[place * len(indices) // count] for place in range(count)]


def difference(sampler: Tensor, trainer: Tensor, truncated: bool) -> Mismatch:
    """From the log-probabilities (C,) of one rollout by both. Where the sampler cut its distribution (`truncated`) its
    probabilities are renormalised and so can only be larger: only what is smaller counts."""
    gap = trainer.cpu() - sampler  # (C,)
    apart = gap.clamp(min=0.0) if truncated else gap.abs()
    return Mismatch(float(apart.double().sum()), float(apart.max()), len(apart))


@torch.no_grad()
def probe(
    logprobs: Logprobs,
    prompts: Sequence[Sequence[int]],
    rollouts: Sequence[Rollout],
    spec: RolloutSpec,
    pad: int,
    device: str,
) -> dict[int, Mismatch]:
    """Index -> mismatch of `spec.probe_rows` of this rank's rollouts, by `logprobs(batch, temperature, "none")` of the policy.

    It is called exactly once, with a row without tokens where there are no rollouts: where weights are split over ranks,
    all ranks must go through the model together.
    """
    indices = evenly_spaced(rollouts, spec.probe_rows)
    contexts = [prompts[index] for index in indices] or [[pad]]
    completions = [rollouts[index].tokens for index in indices] or [[]]
    trainer, _ = logprobs(collate(contexts, completions, pad).to(device), spec.temperature, "none")  # (B, C)
    return {
        index: difference(rollouts[index].logprobs, trainer[row, : len(rollouts[index].tokens)], bool(spec.truncates))
        for row, index in enumerate(indices)
    }


def check(mismatches: Sequence[Mismatch], spec: RolloutSpec, dtype: str, engine: str) -> None:
    """Raise `SamplerMismatch` unless the mean difference a token of all ranks' probed rollouts is within the limit."""
    tokens = sum(mismatch.tokens for mismatch in mismatches)
    if not tokens:
        return
    limit = LIMITS[dtype] if spec.mismatch_limit is None else spec.mismatch_limit
    mean = sum(mismatch.total for mismatch in mismatches) / tokens
    largest = max(mismatch.largest for mismatch in mismatches)
    if not mean <= limit:  # not a number is no agreement either
        raise SamplerMismatch(
            f"the sampler must be the policy that is trained: log-probabilities of sampler and trainer may differ by "
            f"{limit:g} nats a token on average (rollout.mismatch_limit, model.dtype={dtype}); on {tokens} tokens of "
            f"{len(mismatches)} rollouts they differ by {mean:.3g}, at most by {largest:.3g}. The engine {engine} has other "
            "weights than the trainer or computes otherwise: try rollout=native or rollout=hf; where only precision is "
            "to blame, raise rollout.mismatch_limit and correct for it with objective.loss.importance_cap=2"
        )
