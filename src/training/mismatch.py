"""Is the sampler the policy? A few rollouts of every round are given to the trainer, and log-probabilities compared.

A sampler that kept old weights, serves another architecture, or computes otherwise than the trainer, breaks nothing: it trains
another policy on the wrong ratios, or evaluates one. So it is measured in every round, and stops the run.

In bfloat16 rounding alone moves log-probabilities, the more the less sure the policy is. Where they are further apart than
that is usually, both are held against the policy in float32: a sampler that is about as near to it as the trainer itself is
the policy, another one is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from src.common.errors import UserError
from src.models.logprobs import Batch, collate, completion_logprobs
from src.models.precision import in_float32
from src.rollout.engines.base import Engine, Rollout
from src.rollout.engines.build import sampling_of
from src.rollout.generate import Generate, Mismatch, Prompt
from src.rollout.spec import RolloutSpec
from src.training.truncated import kept_logprobs

# Nats a token. In float32 measured means are about 1e-6. In bfloat16 they are 0.02 to 0.04 times the square root of the
# entropy: `USUAL` is twice as much, and `LIMIT` what is allowed where float32 cannot tell.
FLOAT32_LIMIT = 1e-3
USUAL = 0.06
LIMIT = 0.12
LEAST_ENTROPY = 0.01
# In float32 the sampler may be so many times as far away as the trainer, and so many nats a token.
AS_NEAR = 2.0
AS_NEAR_CUT = 4.0  # of a truncated distribution, where single tokens at its edge are in or out by rounding
Logprobs = Callable[[Batch, float, str], tuple[Tensor, Tensor]]


class SamplerMismatch(UserError):
    """The sampler's log-probabilities are not those of the policy that is trained."""


@dataclass(frozen=True)
class Distance:
    """|log p - log p in float32| of one rollout of `tokens` tokens, summed, nats: of the sampler's p and the trainer's."""

    sampler: float
    trainer: float
    tokens: int


@dataclass(frozen=True)
class Probe:
    """Gives rollouts to the trainer. `policy` is what is trained or evaluated, and `logprobs` how the trainer computes
    log-probabilities, by default with `policy` itself."""

    policy: Any
    engine: Engine
    spec: RolloutSpec
    dtype: str
    pad: int
    device: str
    logprobs: Logprobs | None = None

    @property
    def on(self) -> bool:
        """Whether there is a policy behind the sampler, and rollouts are to be probed."""
        return bool(self.spec.probe_rows and self.engine.probed)

    def __call__(self, prompts: Sequence[Sequence[int]], rollouts: Sequence[Rollout]) -> dict[int, Mismatch]:
        """Index -> mismatch of the rollouts that the trainer was asked about."""
        if not self.on:
            return {}
        one_sided = bool(self.spec.truncates) and _split(self.policy)
        return probe(self._trainer(), prompts, rollouts, self.spec, self.pad, self.device, one_sided)

    def distances(self, prompts: Sequence[Sequence[int]], rollouts: Sequence[Rollout]) -> list[Distance]:
        """The same rollouts against the policy in float32; nothing where that cannot be held."""
        indices = evenly_spaced(rollouts, self.spec.probe_rows)
        trainer = self._trainer()
        scored = score(trainer, prompts, rollouts, indices, self.spec, self.pad, self.device)
        with in_float32(self.policy) as possible:
            if not possible:
                return []
            exact = score(self._itself(), prompts, rollouts, indices, self.spec, self.pad, self.device)
        result = []
        for row, index in enumerate(indices):
            sampler = rollouts[index].logprobs
            truth = exact[row, : len(sampler)].cpu()
            own = scored[row, : len(sampler)].cpu()
            gaps = [float((part - truth).abs().double().sum()) for part in (sampler, own)]
            result.append(Distance(gaps[0], gaps[1], len(sampler)))
        return result

    def checked(self, generate: Generate) -> Generate:
        """`generate`, whose every call is probed and checked by this process alone."""
        if not self.on:
            return generate

        def ask(asked: Sequence[Prompt], samples: int) -> list[list[Rollout]]:
            groups = generate(asked, samples)
            prompts = [prompt.tokens for prompt, group in zip(asked, groups, strict=True) for _ in group]
            rollouts = [rollout for group in groups for rollout in group]
            mismatches = list(self(prompts, rollouts).values()) if rollouts else []
            check(mismatches, self.spec, self.dtype, self.engine.name, partial(self.distances, prompts, rollouts))
            return groups

        return ask

    def _trainer(self) -> Logprobs:
        """How the trainer computes the log-probabilities of what is sampled from."""
        if self.spec.truncates and not _split(self.policy):
            return self._itself()
        return self.logprobs or partial(completion_logprobs, self.policy)

    def _itself(self) -> Logprobs:
        if self.spec.truncates:
            return partial(kept_logprobs, self.policy, sampling_of(self.spec))
        return partial(completion_logprobs, self.policy)


def evenly_spaced(rollouts: Sequence[Rollout], count: int) -> list[int]:
    """Indices of at most `count` rollouts that have tokens, evenly spaced: of several prompts, always the same."""
    indices = [index for index, rollout in enumerate(rollouts) if rollout.tokens]
    count = min(count, len(indices))
    return [indices[place * len(indices) // count] for place in range(count)]


def difference(sampler: Tensor, trainer: Tensor, one_sided: bool = False) -> Mismatch:
    """From the log-probabilities (C,) of one rollout by both. Where the sampler cut its distribution and the trainer did not
    (`one_sided`) the sampler's probabilities can only be larger: only what is smaller counts."""
    gap = trainer.cpu() - sampler  # (C,)
    apart = gap.clamp(min=0.0) if one_sided else gap.abs()
    return Mismatch(float(apart.double().sum()), float(apart.max()), len(apart), -float(sampler.double().sum()))


@torch.no_grad()
def score(
    logprobs: Logprobs,
    prompts: Sequence[Sequence[int]],
    rollouts: Sequence[Rollout],
    indices: Sequence[int],
    spec: RolloutSpec,
    pad: int,
    device: str,
) -> Tensor:
    """`logprobs(batch, temperature, "none")` (B, C) of those rollouts, of a row without tokens where there are none."""
    contexts = [prompts[index] for index in indices] or [[pad]]
    completions = [rollouts[index].tokens for index in indices] or [[]]
    return logprobs(collate(contexts, completions, pad).to(device), spec.temperature, "none")[0]


def probe(
    logprobs: Logprobs,
    prompts: Sequence[Sequence[int]],
    rollouts: Sequence[Rollout],
    spec: RolloutSpec,
    pad: int,
    device: str,
    one_sided: bool = False,
) -> dict[int, Mismatch]:
    """Index -> mismatch of `spec.probe_rows` of this rank's rollouts, by `logprobs(batch, temperature, "none")` of the policy.

    It is called exactly once, with a row without tokens where there are no rollouts: where weights are split over ranks,
    all ranks must go through the model together.
    """
    indices = evenly_spaced(rollouts, spec.probe_rows)
    trainer = score(logprobs, prompts, rollouts, indices, spec, pad, device)  # (B, C)
    return {
        index: difference(rollouts[index].logprobs, trainer[row, : len(rollouts[index].tokens)], one_sided)
        for row, index in enumerate(indices)
    }


def check(
    mismatches: Sequence[Mismatch],
    spec: RolloutSpec,
    dtype: str,
    engine: str,
    distances: Callable[[], Sequence[Distance]] | None = None,
) -> None:
    """Raise `SamplerMismatch` unless the mean difference a token of all ranks' probed rollouts is what rounding explains.

    `distances` holds the same rollouts against float32; it is asked only where that decides, and then by every rank.
    """
    tokens = sum(mismatch.tokens for mismatch in mismatches)
    if not tokens:
        return
    mean = sum(mismatch.total for mismatch in mismatches) / tokens
    entropy = sum(mismatch.surprisal for mismatch in mismatches) / tokens
    spread = math.sqrt(max(entropy, LEAST_ENTROPY)) if math.isfinite(entropy) else 0.0
    seen = f"on {tokens} tokens of {len(mismatches)} rollouts they differ by {mean:.3g}"
    seen += f", at most by {max(mismatch.largest for mismatch in mismatches):.3g}"
    if spec.mismatch_limit is not None:
        limit = spec.mismatch_limit
    elif dtype == "float32":
        limit = FLOAT32_LIMIT
    else:
        limit = LIMIT * spread
        unusual = math.isfinite(mean) and mean > USUAL * spread
        held = list(distances()) if distances is not None and unusual else []
        if held:
            count = sum(distance.tokens for distance in held)
            sampler, trainer = (sum(getattr(row, side) for row in held) / count for side in ("sampler", "trainer"))
            near = AS_NEAR_CUT if spec.truncates else AS_NEAR
            if sampler <= near * trainer + FLOAT32_LIMIT:
                return
            limit = USUAL * spread
            seen += f"; from the policy in float32 the sampler is {sampler:.3g} away, and the trainer {trainer:.3g}"
    if not mean <= limit:  # not a number is no agreement either
        raise SamplerMismatch(
            f"the sampler must be the policy that is trained or evaluated: log-probabilities of sampler and trainer may differ "
            f"by {limit:.3g} nats a token on average (rollout.mismatch_limit, model.dtype={dtype}, entropy {entropy:.2g}); "
            f"{seen}. {_advice(engine)}"
        )


def _advice(engine: str) -> str:
    other = {
        "native": "The engine native has other weights than the trainer or computes otherwise: try rollout=hf",
        "hf": "The engine hf computes token by token what the trainer computes at once, and this model gives both otherwise: "
        "try rollout=vllm or another model.attention",
    }.get(engine, f"The engine {engine} has other weights than the trainer or computes otherwise: try rollout=hf")
    return (
        f"{other}; where only precision is to blame, raise rollout.mismatch_limit and correct for it with "
        "objective.loss.importance_cap=2"
    )


def _split(policy: Any) -> bool:
    return any(hasattr(parameter, "ds_id") for parameter in policy.parameters())
