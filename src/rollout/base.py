"""What every rollout engine takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """Sampling settings; log-probabilities are those of the distribution sampled from, before top-p cuts it."""

    maximum_new_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0


@dataclass(frozen=True)
class Rollout:
    """One completion: token ids (with the end token, if it came) and the log-probability of each."""

    tokens: list[int]
    logprobs: Tensor  # [len(tokens)] float32
    truncated: bool  # the budget ended before the end token came


class Engine(Protocol):
    """Samples completions. Weights are handed over before each round, so engine and trainer stay apart."""

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the policy's weights, by their names in the plain transformers model."""

    def generate(
        self, prompts: Sequence[Sequence[int]], streams: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """`completions` rollouts of each prompt. `streams[i]` seeds the randomness of prompt i and nothing else
        does, so the same prompt with the same stream gives the same rollouts on any rank, alone or in company
        (up to the rounding of matrix products of another shape)."""


def by_length(
    lengths: Sequence[int], at_once: int, generate: Callable[[list[int]], list[list[Rollout]]]
) -> list[list[Rollout]]:
    """The groups of all prompts, in their order, from `generate` on the indices of `at_once` (at least one) prompts of
    similar length at a time: little padding, bounded memory."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    size = max(1, at_once)
    found: dict[int, list[Rollout]] = {}
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        found.update(zip(chosen, generate(chosen), strict=True))
    return [found[index] for index in range(len(lengths))]


def left_pad(prompts: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Prompts as one tensor [P, L] that ends where each prompt ends, and which of it is real [P, L] bool."""
    length = max(len(prompt) for prompt in prompts)
    tokens = torch.full((len(prompts), length), pad)
    real = torch.zeros(len(prompts), length, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        tokens[row, length - len(prompt) :] = torch.tensor(prompt)
        real[row, length - len(prompt) :] = True
    return tokens, real


def uniforms(stream: int, completions: int, tokens: int) -> Tensor:
    """The random numbers [completions, tokens] in [0, 1) that a prompt's rollouts are drawn with."""
    generator = torch.Generator().manual_seed(stream)
    return torch.rand(completions, tokens, generator=generator)


def draw(logits: Tensor, uniform: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Sample by inverting the cumulative distribution: tokens [B] and their log-probabilities [B].

    Args:
        logits: [B, V] float32.
        uniform: [B] in [0, 1).
    """
    if sampling.temperature != 1.0:
        logits = logits / sampling.temperature
    logprobs = torch.log_softmax(logits, dim=-1)
    if sampling.top_p < 1.0:
        ordered, order = logprobs.sort(dim=-1, descending=True)
        cumulative = ordered.exp().cumsum(-1)
        kept = cumulative - ordered.exp() < sampling.top_p  # the first token is always kept
        cumulative = (ordered.exp() * kept).cumsum(-1)
        place = _invert(cumulative, uniform)
        tokens = order.gather(-1, place)
    else:
        tokens = _invert(logprobs.exp().cumsum(-1), uniform)
    return tokens.squeeze(-1), logprobs.gather(-1, tokens).squeeze(-1)


def _invert(cumulative: Tensor, uniform: Tensor) -> Tensor:
    """First index [B, 1] whose cumulative mass exceeds `uniform` x total (so rounding never leaves the range)."""
    total = cumulative[:, -1:]
    return torch.searchsorted(cumulative, uniform[:, None] * total, right=True).clamp_(max=cumulative.shape[-1] - 1)
