"""Log-probabilities of given completions under a model, computing logits only where they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

# Logits held at once, in elements (positions x vocabulary): 64 M is 256 MB in float32.
LOGITS_AT_ONCE = 64_000_000


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
        start, length = len(prompt), len(completion)
        tokens[row, : start + length] = torch.tensor([*prompt, *completion], dtype=torch.long)
        targets[row, :length] = torch.tensor(completion, dtype=torch.long)
        mask[row, :length] = 1.0
        positions[row, :length] = torch.arange(start - 1, start - 1 + length)
    return Batch(tokens, targets, mask, positions)


def completion_logprobs(
    model: Any, batch: Batch, temperature: float = 1.0, entropy_gradient: bool = False
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [B, C] (nats) of the targets, zero where `batch.mask` is zero.

    The body of the model runs once; the vocabulary projection only on completion positions, in pieces of
    `LOGITS_AT_ONCE` that are recomputed in the backward pass when there is more than one.
    """
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = plain.base_model(input_ids=batch.tokens, use_cache=False).last_hidden_state  # [B, T, H]
    chosen = batch.mask.bool()
    rows = torch.arange(len(batch.tokens), device=hidden.device)[:, None].expand_as(chosen)[chosen]
    states = hidden[rows, batch.positions[chosen]]  # [N, H]
    targets = batch.targets[chosen]
    head = plain.get_output_embeddings()
    size = max(1, LOGITS_AT_ONCE // head.weight.shape[0])

    def piece(states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logprobs = torch.log_softmax(head(states).float() / temperature, dim=-1)  # [n, V]
        with torch.set_grad_enabled(entropy_gradient and torch.is_grad_enabled()):
            entropy = -(logprobs.exp() * logprobs).sum(-1)
        return logprobs.gather(-1, targets[:, None]).squeeze(-1), entropy

    parts = []
    for start in range(0, len(states), size):
        block = states[start : start + size], targets[start : start + size]
        again = len(states) > size and torch.is_grad_enabled()
        parts.append(checkpoint(piece, *block, use_reentrant=False) if again else piece(*block))
    shape = batch.mask.shape
    logprobs, entropies = (
        torch.zeros(shape, device=hidden.device).masked_scatter(chosen, torch.cat(column))
        for column in zip(*parts, strict=True)
    )
    return logprobs, entropies


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
