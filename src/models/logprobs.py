"""Log-probabilities of given completions under a model, computing logits only where they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from src.models.head import Head, bounded, head_of
from src.models.load import plain_model
from src.models.prefix import Prefixes, collate_prefixes, shared_states
from src.models.vocabulary import chunked_logprobs, slices

# Up to so many logits (positions x vocabulary) are computed whole: 64 MiB in float32. More go through the vocabulary in
# chunks (`src.models.vocabulary`, `src.models.fused`), whose memory does not depend on either.
LOGITS_AT_ONCE = 2**24


@dataclass(frozen=True)
class Batch:
    """Right-padded sequences of one micro-batch. B rows, T positions, C completion positions.

    Right padding under causal attention needs no mask: no real position ever looks at a pad.
    """

    tokens: Tensor  # [B, T] prompt + completion + padding
    targets: Tensor  # [B, C] completion tokens, padded
    mask: Tensor  # [B, C] 1.0 on real completion tokens
    positions: Tensor  # [B, C] index into T of the position that predicts each target
    prefixes: Prefixes | None = None  # the prompts once more, where they are to be gone through once each

    def to(self, device: torch.device | str) -> Batch:
        tensors = (getattr(self, name).to(device) for name in ("tokens", "targets", "mask", "positions"))
        moved = Batch(*tensors)
        return moved if self.prefixes is None else replace(moved, prefixes=self.prefixes.to(device))


def collate(
    prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[int]], pad: int, share: bool = False
) -> Batch:
    """Put prompts and their completions side by side into one `Batch`; with `share` a prompt that several have is gone through
    once, which the model must allow (`src.models.prefix.can_share`)."""
    rows = len(prompts)
    width = max(len(p) + len(c) for p, c in zip(prompts, completions, strict=True))
    reply = max(1, max(len(c) for c in completions))
    tokens = torch.full((rows, width), pad, dtype=torch.long)
    targets = torch.full((rows, reply), pad, dtype=torch.long)
    mask = torch.zeros(rows, reply)
    positions = torch.zeros(rows, reply, dtype=torch.long)
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        start = len(prompt)
        length = len(completion)
        tokens[row, : start + length] = torch.tensor([*prompt, *completion], dtype=torch.long)
        targets[row, :length] = torch.tensor(completion, dtype=torch.long)
        mask[row, :length] = 1.0
        positions[row, :length] = torch.arange(start - 1, start - 1 + length)
    return Batch(tokens, targets, mask, positions, collate_prefixes(prompts, pad) if share else None)


def completion_logprobs(
    model: Any, batch: Batch, temperature: float = 1.0, entropy: str = "value"
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [B, C] (nats) of the targets, zero where `batch.mask` is zero.

    The vocabulary projection runs on completion positions alone, where the model's logits are such a projection
    (`src.models.head`). `entropy` is `none` (zeros come back), `value` (without gradient) or `gradient`.
    """
    head = head_of(plain_model(model))
    if head is None:
        flat = _of_logits(_own_logits(model, batch) / temperature, batch.targets[batch.mask.bool()], entropy)
    else:
        states, targets = completion_states(model, batch)
        if too_large(head, len(states)):
            divisor = head.temperature(temperature)
            flat = chunked_logprobs(states, head.weight, targets, divisor, entropy, head.bound(temperature))
        else:
            flat = whole_logprobs(head, states, targets, temperature, entropy)
    logprobs, entropies = (spread(part, batch) for part in flat)
    return logprobs, entropies


def completion_states(model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    """The states [N, H] that the vocabulary projection is to be given, and the targets [N] they predict: the body of the
    model runs once. N counts the tokens in `batch.mask`, row by row."""
    if batch.prefixes is not None:
        states = shared_states(model, batch.prefixes, batch.targets)  # [B, C, H]
        return states[batch.mask.bool()], batch.targets[batch.mask.bool()]
    hidden = plain_model(model).base_model(input_ids=batch.tokens, use_cache=False).last_hidden_state  # [B, T, H]
    chosen = batch.mask.bool()
    return hidden[_rows(batch), batch.positions[chosen]], batch.targets[chosen]


def completion_logits(model: Any, batch: Batch, at_once: int) -> Iterator[tuple[int, Tensor]]:
    """The logits [n, V] in float32 of `at_once` of the N tokens in `batch.mask` at a time, and which the first of them is."""
    head = head_of(plain_model(model))
    if head is None:
        logits = _own_logits(model, batch)
        yield from ((rows.start, logits[rows]) for rows in slices(len(logits), at_once))
        return
    states, _ = completion_states(model, batch)
    for rows in slices(len(states), at_once):
        logits = head.module(states[rows]).float() * head.scale
        yield rows.start, logits if head.cap is None else bounded(logits, head.cap)


def _own_logits(model: Any, batch: Batch) -> Tensor:
    """Logits [N, V] in float32, from the model's own forward pass over all positions."""
    logits: Tensor = plain_model(model)(input_ids=batch.tokens, use_cache=False).logits  # [B, T, V]
    return logits[_rows(batch), batch.positions[batch.mask.bool()]].float()


def _rows(batch: Batch) -> Tensor:
    """The row [N] of each token in `batch.mask`."""
    chosen = batch.mask.bool()
    return torch.arange(len(batch.tokens), device=chosen.device)[:, None].expand_as(chosen)[chosen]


def spread(values: Tensor, batch: Batch) -> Tensor:
    """Values [N] of the tokens in `batch.mask` at their places [B, C], zero elsewhere."""
    return values.new_zeros(batch.mask.shape).masked_scatter(batch.mask.bool(), values)


def too_large(head: Head, tokens: int) -> bool:
    """Whether the logits of `tokens` tokens are not to be held at once; only a plain head can do without."""
    return tokens * len(head.weight) > LOGITS_AT_ONCE and head.plain


def whole_logprobs(
    head: Head, states: Tensor, targets: Tensor, temperature: float, entropy: str = "value"
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [N] of `targets` [N] from all logits of `states` [N, H] at once.

    A plain head's weight is used as in chunks, not through the module: under ZeRO 3 a module gathers its weights when it is
    called, and a rank with few tokens would do so alone, beside others that go through chunks, and wait for ever.
    """
    project = partial(torch.nn.functional.linear, weight=head.weight) if head.plain else head.module
    logits = project(states).float()  # [N, V]
    if (divisor := head.temperature(temperature)) != 1.0:
        logits = logits / divisor
    if (bound := head.bound(temperature)) is not None:
        logits = bound * torch.tanh(logits / bound)
    return _of_logits(logits, targets, entropy)


def _of_logits(logits: Tensor, targets: Tensor, entropy: str) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [N] of `targets` [N] under the softmax of `logits` [N, V]."""
    logprobs = torch.log_softmax(logits, dim=-1)  # [N, V]
    entropies = None
    if entropy != "none":
        with torch.set_grad_enabled(entropy == "gradient" and torch.is_grad_enabled()):
            entropies = -(logprobs.exp() * logprobs).sum(-1)
    chosen = logprobs.gather(-1, targets[:, None]).squeeze(-1)
    return chosen, torch.zeros_like(chosen) if entropies is None else entropies


def microbatches(lengths: Sequence[int], tokens_per_microbatch: int) -> list[list[int]]:
    """Indices in micro-batches of similar length, each at most `tokens_per_microbatch` with padding counted.

    A single sequence longer than the limit forms a micro-batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    groups: list[list[int]] = []
    for index in order:
        if groups and (len(groups[-1]) + 1) * lengths[index] <= tokens_per_microbatch:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups
