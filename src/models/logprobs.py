"""Log-probabilities of given completions under a model, computing logits only where they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from src.models.load import plain_model
from src.models.vocabulary import chunked_logprobs

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

    def to(self, device: torch.device | str) -> Batch:
        return Batch(*(getattr(self, name).to(device) for name in ("tokens", "targets", "mask", "positions")))


def collate(prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[int]], pad: int) -> Batch:
    """Put prompts and their completions side by side into one `Batch`."""
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
    return Batch(tokens, targets, mask, positions)


def completion_logprobs(
    model: Any, batch: Batch, temperature: float = 1.0, entropy: str = "value"
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [B, C] (nats) of the targets, zero where `batch.mask` is zero.

    The vocabulary projection runs on completion positions alone. `entropy` is `none` (zeros come back), `value` (without
    gradient) or `gradient`.
    """
    head, states, targets = completion_states(model, batch)
    if too_large(head, len(states)):
        flat = chunked_logprobs(states, head.weight, targets, temperature, entropy)
    else:
        flat = whole_logprobs(head, states, targets, temperature, entropy)
    logprobs, entropies = (spread(part, batch) for part in flat)
    return logprobs, entropies


def completion_states(model: Any, batch: Batch) -> tuple[Any, Tensor, Tensor]:
    """The vocabulary projection, the states [N, H] it is to be given, and the targets [N] they predict: the body of the
    model runs once. N counts the tokens in `batch.mask`, row by row."""
    plain = plain_model(model)
    hidden = plain.base_model(input_ids=batch.tokens, use_cache=False).last_hidden_state  # [B, T, H]
    chosen = batch.mask.bool()
    rows = torch.arange(len(batch.tokens), device=hidden.device)[:, None].expand_as(chosen)[chosen]
    return plain.get_output_embeddings(), hidden[rows, batch.positions[chosen]], batch.targets[chosen]


def spread(values: Tensor, batch: Batch) -> Tensor:
    """Values [N] of the tokens in `batch.mask` at their places [B, C], zero elsewhere."""
    return values.new_zeros(batch.mask.shape).masked_scatter(batch.mask.bool(), values)


def too_large(head: Any, tokens: int) -> bool:
    """Whether the logits of `tokens` tokens are not to be held at once; only a plain head can do without."""
    return tokens * len(head.weight) > LOGITS_AT_ONCE and is_plain(head)


def is_plain(head: Any) -> bool:
    """Whether the head is nothing but a product with its weight."""
    return type(head) is torch.nn.Linear and head.bias is None


def whole_logprobs(
    head: Any, states: Tensor, targets: Tensor, temperature: float, entropy: str = "value"
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [N] of `targets` [N] from all logits of `states` [N, H] at once.

    A plain head's weight is used as in chunks, not through the module: under ZeRO 3 a module gathers its weights when it is
    called, and a rank with few tokens would do so alone, beside others that go through chunks, and wait for ever.
    """
    project = partial(torch.nn.functional.linear, weight=head.weight) if is_plain(head) else head
    logprobs = torch.log_softmax(project(states).float() / temperature, dim=-1)  # [N, V]
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
