"""What every rollout engine takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """Sampling settings. Of the distribution at `temperature`, `min_p` keeps the tokens of at least that share of the
    largest probability, `top_k` then the k likeliest, `top_p` then the fewest that hold that mass of what is left (0, 0
    and 1: off). Log-probabilities are those of what is left, which is what is sampled from."""

    maximum_new_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0

    @property
    def truncates(self) -> bool:
        """Whether some tokens cannot be sampled."""
        return self.top_p < 1.0 or self.top_k > 0 or self.min_p > 0.0


@dataclass(frozen=True)
class Rollout:
    """One completion: token ids (with the end token, if it came) and the log-probability of each."""

    tokens: list[int]
    logprobs: Tensor  # [len(tokens)] float32
    truncated: bool  # the budget ended before an end token came

    @property
    def content(self) -> list[int]:
        """The tokens without the end token, whichever of the model's it is."""
        return self.tokens if self.truncated else self.tokens[:-1]


class Engine(Protocol):
    """Samples completions. Weights are handed over before each round, so engine and trainer stay apart."""

    name: str  # as in `rollout.engine`
    probed: bool  # its log-probabilities are those of a policy, which the trainer can check
    positions: int | None  # how many the model has, for a prompt and what follows; None: any number

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the policy's weights, by their names in the plain transformers model."""

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """`completions` rollouts of each prompt. `seeds[i]` seeds the randomness of prompt i and nothing else
        does, so the same prompt with the same seed gives the same rollouts on any rank, alone or in company
        (up to the rounding of matrix products of another shape)."""


def end_tokens(end: int | Sequence[int]) -> tuple[int, ...]:
    """The tokens that end a completion, ascending: one, or as many as the model has."""
    return (end,) if isinstance(end, int) else tuple(sorted(set(end)))


def length_until(tokens: Sequence[int], ends: Sequence[int]) -> tuple[int, bool]:
    """How many of `tokens` there are up to and with the first end token, and whether there is one."""
    for place, token in enumerate(tokens):
        if token in ends:
            return place + 1, True
    return len(tokens), False


def by_length(
    lengths: Sequence[int], at_once: int, generate: Callable[[list[int]], list[list[Rollout]]]
) -> list[list[Rollout]]:
    """The groups of all prompts, in their order, from `generate` on the indices of `at_once` (at least one) prompts of
    similar length at a time: little padding, bounded memory."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    size = max(1, at_once)
    groups: dict[int, list[Rollout]] = {}
    for start in range(0, len(order), size):
        indices = order[start : start + size]
        groups.update(zip(indices, generate(indices), strict=True))
    return [groups[index] for index in range(len(lengths))]


def left_pad(prompts: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Prompts as one tensor [P, L] that ends where each prompt ends, and which of it is real [P, L] bool."""
    length = max(len(prompt) for prompt in prompts)
    tokens = torch.full((len(prompts), length), pad)
    real = torch.zeros(len(prompts), length, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        tokens[row, length - len(prompt) :] = torch.tensor(prompt)
        real[row, length - len(prompt) :] = True
    return tokens, real


def uniforms(seed: int, completions: int, tokens: int) -> Tensor:
    """The random numbers [completions, tokens] in [0, 1) that a prompt's rollouts are drawn with."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(completions, tokens, generator=generator)


def draw(logits: Tensor, uniform: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Sample by inverting the cumulative distribution: tokens [B] and their log-probabilities [B] in the distribution
    that is left of the logits after temperature and truncation.

    Args:
        logits: [B, V] float32.
        uniform: [B] in [0, 1).
    """
    if sampling.temperature != 1.0:
        logits = logits / sampling.temperature
    logprobs = torch.log_softmax(logits, dim=-1)
    if sampling.truncates:
        logprobs = truncate(logprobs, sampling)
    tokens = _invert(logprobs.exp().cumsum(-1), uniform)
    return tokens.squeeze(-1), logprobs.gather(-1, tokens).squeeze(-1)


def truncate(logprobs: Tensor, sampling: Sampling) -> Tensor:
    """Log-probabilities [B, V] of what min-p, top-k and top-p leave, in this order, as vLLM has it: minus infinity where
    a token is cut, renormalised elsewhere. The likeliest token always stays, and so does one as likely as the k-th."""
    if sampling.min_p > 0.0:
        least = logprobs.max(-1, keepdim=True).values + torch.log(torch.tensor(sampling.min_p))
        logprobs = logprobs.masked_fill(logprobs < least, float("-inf"))
    if 0 < sampling.top_k < logprobs.shape[-1]:
        least = logprobs.topk(sampling.top_k, dim=-1).values[:, -1:]
        logprobs = logprobs.masked_fill(logprobs < least, float("-inf"))
    if sampling.top_p < 1.0:
        ordered, order = torch.log_softmax(logprobs, dim=-1).sort(dim=-1, descending=True)
        before = ordered.exp().cumsum(-1) - ordered.exp()  # the mass of the likelier ones; 0 for the first
        cut = torch.zeros_like(logprobs, dtype=torch.bool).scatter(-1, order, before >= sampling.top_p)
        logprobs = logprobs.masked_fill(cut, float("-inf"))
    return torch.log_softmax(logprobs, dim=-1)


def _invert(cumulative: Tensor, uniform: Tensor) -> Tensor:
    """First index [B, 1] whose cumulative mass exceeds `uniform` x total (so rounding never leaves the range, and a
    token without mass is never taken)."""
    total = cumulative[:, -1:]
    return torch.searchsorted(cumulative, uniform[:, None] * total, right=True).clamp_(max=cumulative.shape[-1] - 1)
