"""Learning through a trained head: loss and gradients together, a few tokens at a time.

Where the loss of a token depends on that token alone, its derivative is known while the token's logits are at hand. Then
three matrix products are enough, as with all logits at once (`src.models.vocabulary`, which does not know the loss, needs
the logits twice: four), and [n, V] logits of n tokens are held. The idea is that of Liger's fused losses (Hsu et al. 2024).
The head's gradient is added up in its `.grad`, where it stays: there is no second tensor of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from src.models.head import head_of
from src.models.load import plain_model
from src.models.logprobs import Batch, completion_states, spread
from src.models.vocabulary import slices, to_logits

# Logits held at once: 128 MiB in float32. Fewer make the matrix products slower.
LOGITS_AT_ONCE = 2**25
BLOCK = 2**17  # of them, so many go through exp and log together: they stay in the cache of a core

# From log-probabilities and entropies [B, C], zero outside the mask, to one number.
Objective = Callable[[Tensor, Tensor], Tensor]


def can_fuse(model: Any) -> bool:
    """Whether the head is a plain product and trained, its logits are not bounded, and a sum of rounded parts is good enough
    for its gradient, as it is in float32."""
    head = head_of(plain_model(model))
    if head is None or not head.plain or head.cap is not None or not head.weight.requires_grad:
        return False
    return head.weight.dtype in (torch.float32, torch.float64)


def learn_fused(
    model: Any, batch: Batch, objective: Objective, temperature: float = 1.0, entropy: str = "value"
) -> tuple[Tensor, Tensor, Tensor]:
    """Add the gradient of `objective(logprobs, entropies)` to `.grad` of the weights; its value, the log-probabilities and
    the entropies [B, C] (nats) come back, without gradient.

    `objective` must be a sum over tokens of functions of that token's two numbers. It is called for every chunk of tokens,
    with zeros in the places of those to come. `entropy` is as in `src.models.logprobs.completion_logprobs`.
    """
    head = head_of(plain_model(model))
    assert head is not None  # `can_fuse` said so
    temperature = head.temperature(temperature)
    states, targets = completion_states(model, batch)
    weight = head.weight  # (V, H)
    inputs = states.detach()  # (N, H)
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    to_states = torch.empty_like(inputs)
    logprobs = inputs.new_zeros(len(inputs))  # (N,)
    entropies = inputs.new_zeros(len(inputs))  # (N,)
    size = max(1, LOGITS_AT_ONCE // len(weight))
    logits = buffer = inputs.new_empty(min(size, len(inputs)), len(weight))
    with torch.no_grad():
        for rows in slices(len(inputs), size):
            scaled = inputs[rows] / temperature  # (n, H)
            target = targets[rows, None]  # (n, 1)
            logits = torch.mm(scaled, weight.T, out=buffer[: len(scaled)])  # (n, V)
            entropies[rows] = _normalise(logits, entropy)
            logprobs[rows] = logits.gather(-1, target).squeeze(-1)
            slopes = [slope[rows] for slope in _slopes(objective, logprobs, entropies, batch, entropy)]
            for block in _blocks(logits):
                to_logits(logits[block], entropies[rows][block], *(slope[block] for slope in slopes))
            logits.scatter_add_(-1, target, slopes[0][:, None])
            torch.mm(logits, weight, out=to_states[rows])
            weight.grad.addmm_(logits.T, scaled)
    del buffer, logits
    states.backward(to_states.div_(temperature))
    padded_logprobs = spread(logprobs, batch)  # (B, C)
    padded_entropies = spread(entropies, batch)  # (B, C)
    return objective(padded_logprobs, padded_entropies), padded_logprobs, padded_entropies


def _normalise(logits: Tensor, entropy: str) -> Tensor:
    """Turn logits [n, V] into log-probabilities, in place; their entropies [n] (zeros where `entropy` is `none`)."""
    entropies = logits.new_zeros(len(logits))  # (n,)
    for rows in _blocks(logits):
        logp = logits[rows]
        logp -= logp.logsumexp(-1, keepdim=True)
        if entropy != "none":
            entropies[rows] = logp.exp().mul_(logp).sum(-1).neg_()
    return entropies


def _slopes(
    objective: Objective, logprobs: Tensor, entropies: Tensor, batch: Batch, entropy: str
) -> tuple[Tensor, ...]:
    """The gradients [N] of the objective by log-probabilities and, where it is to have one, by entropies."""
    leaves = [logprobs.clone().requires_grad_(), entropies.clone().requires_grad_(entropy == "gradient")]
    with torch.enable_grad():
        value = objective(*(spread(leaf, batch) for leaf in leaves))
    return torch.autograd.grad(value, [leaf for leaf in leaves if leaf.requires_grad], materialize_grads=True)


def _blocks(logits: Tensor) -> Iterator[slice]:
    return slices(len(logits), max(1, BLOCK // logits.shape[-1]))
