"""Log-probabilities and entropies over a large vocabulary without ever holding tokens x vocabulary logits.

The softmax is taken as attention takes it in blocks (running maximum and sum over chunks of the vocabulary; Milakov and
Gimelshein 2018, Dao et al. 2022): with hidden state h_i as the query and the rows W_j of the head as keys and values,
the gradient of log p_i(t) by h_i is (W_t - sum_j p_ij W_j) / temperature, whose sum is one more running sum. So the
backward pass to the hidden states costs no second look at the vocabulary, and only a head that is trained has its
logits computed again (`src.models.fused` spares that where the loss of a token depends on no other). Products are in the
dtype of the weights, all sums over the vocabulary in float32. A model may bound its logits, z' = c tanh(z / c): then each W_j
in the gradients is multiplied by dz'_j / dz_j = 1 - (z'_j / c)^2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from src.models.head import bounded

# Logits held at once: 1,024 x 4,096 in float32 are 16 MiB.
TOKENS_AT_ONCE = 1024
WORDS_AT_ONCE = 4096
LOWEST = -1e30  # below every logit; finite, so that 0 x (LOWEST - m) is 0


def chunked_logprobs(
    states: Tensor,
    weight: Tensor,
    targets: Tensor,
    temperature: float,
    entropy: str = "value",
    cap: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies [N] float32 (nats) of softmax(states weight^T / temperature).

    Args:
        states: [N, H].
        weight: [V, H], the vocabulary projection, trained or frozen, in the dtype of `states`.
        targets: [N] int64.
        entropy: `none` (zeros come back), `value` (without gradient) or `gradient`.
        cap: what bounds the quotient before the softmax, None for nothing.
    """
    wanted = torch.is_grad_enabled() and (states.requires_grad or weight.requires_grad)
    apply: Callable[..., tuple[Tensor, Tensor]] = _Chunked.apply  # which torch leaves untyped
    return apply(states, weight, targets, temperature, entropy, wanted, cap)


class _Chunked(torch.autograd.Function):
    """Forward keeps [N, H] and [N] tensors alone: sum_j p_j W_j (and, for the entropy's gradient, one more such sum)."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        targets: Tensor,
        temperature: float,
        entropy: str,
        wanted: bool,
        cap: float | None,
    ) -> tuple[Tensor, Tensor]:
        slopes_wanted = wanted and states.requires_grad
        parts = [
            _scan(states[rows], weight, targets[rows], temperature, entropy, slopes_wanted, cap)
            for rows in slices(len(states), TOKENS_AT_ONCE)
        ]
        logprobs, total, entropies, slopes, entropy_slopes = (torch.cat(column) for column in zip(*parts, strict=True))
        if wanted:
            ctx.save_for_backward(states, weight, targets, total, entropies, slopes, entropy_slopes)
            ctx.temperature = temperature
            ctx.entropy = entropy
            ctx.cap = cap
        if entropy != "gradient":
            ctx.mark_non_differentiable(entropies)
        return logprobs, entropies

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        states, weight, targets, total, entropies, slopes, entropy_slopes = ctx.saved_tensors
        by_logprob = gradients[0]  # (N,)
        by_entropy = gradients[1] if ctx.entropy == "gradient" else None  # (N,)
        to_states = None
        to_weight = None
        if ctx.needs_input_grad[0]:
            to_states = slopes * by_logprob[:, None]
            if by_entropy is not None:
                to_states.addcmul_(entropy_slopes, by_entropy[:, None])
            to_states = to_states.to(states.dtype)
        if ctx.needs_input_grad[1]:
            to_weight = _to_weight(
                states, weight, targets, total, entropies, by_logprob, by_entropy, ctx.temperature, ctx.cap
            )
        return to_states, to_weight, None, None, None, None, None


def _scan(
    states: Tensor,
    weight: Tensor,
    targets: Tensor,
    temperature: float,
    entropy: str,
    slopes: bool,
    cap: float | None = None,
) -> tuple[Tensor, ...]:
    """One pass over the vocabulary for n tokens: log-probability, log of the sum of exponentials, entropy [n] each, and
    the gradients [n, H] of log-probability and entropy by the states (empty where not asked for).

    Running over chunks, with m the largest logit so far: s = sum e^(z - m), u = sum e^(z - m) (z - m), and the same two
    sums with the row W_j in each term.
    """
    count, width = states.shape
    kept = states.new_zeros(count, width if slopes else 0, dtype=torch.float32)  # sum e^(z - m) W
    kept_u = torch.zeros_like(kept) if entropy == "gradient" else kept[:, :0]  # sum e^(z - m) (z - m) W
    largest = states.new_full((count, 1), LOWEST, dtype=torch.float32)
    total, weighted, chosen = (torch.zeros_like(largest) for _ in range(3))
    bend = None  # dz' / dz [n, v]
    for words in slices(len(weight), WORDS_AT_ONCE):
        logits = _logits(states, weight[words], temperature, cap)  # [n, v]
        if cap is not None and slopes:
            bend = _bend(logits, cap)
        chosen += _at_targets(logits, targets, words)
        raised = torch.maximum(largest, logits.amax(-1, keepdim=True))
        fallen = largest - raised  # 0 or below
        scale = fallen.exp()
        logits -= raised
        exponentials = logits.exp()
        if entropy != "none":
            logits *= exponentials  # e^(z - m) (z - m)
            weighted = scale * (weighted + fallen * total) + logits.sum(-1, keepdim=True)
        total = scale * total + exponentials.sum(-1, keepdim=True)
        if kept_u.numel():
            kept_u.add_(fallen * kept).mul_(scale).add_(_times(logits, weight[words], bend))
        if kept.numel():
            kept.mul_(scale).add_(_times(exponentials, weight[words], bend))
        largest = raised
    log_total = total.log()
    entropies = log_total - weighted / total if entropy != "none" else torch.zeros_like(total)
    if kept_u.numel():  # dH/dh = -(sum p (z - m) W - (log s - H) sum p W) / temperature
        kept_u.sub_((log_total - entropies) * kept).div_(-temperature * total)
    if kept.numel():
        own = weight[targets] if cap is None else weight[targets] * _bend(chosen, cap)
        kept.div_(-total).add_(own).div_(temperature)
    lse = largest + log_total
    return (chosen - lse).squeeze(-1), lse.squeeze(-1), entropies.squeeze(-1), kept, kept_u


def _to_weight(
    states: Tensor,
    weight: Tensor,
    targets: Tensor,
    total: Tensor,
    entropies: Tensor,
    by_logprob: Tensor,
    by_entropy: Tensor | None,
    temperature: float,
    cap: float | None,
) -> Tensor:
    """The gradient [V, H] of the head, chunk by chunk from logits that are computed again."""
    gradient = torch.empty_like(weight)
    for words in slices(len(weight), WORDS_AT_ONCE):
        block = torch.zeros_like(weight[words], dtype=torch.float32)
        for rows in slices(len(states), TOKENS_AT_ONCE):
            logits = _logits(states[rows], weight[words], temperature, cap)
            bend = None if cap is None else _bend(logits, cap)
            logits.sub_(total[rows, None])  # log p
            share = by_logprob[rows]
            to_logits(logits, entropies[rows], share, None if by_entropy is None else by_entropy[rows])
            inside, place = _inside(targets[rows], words)
            logits.scatter_add_(-1, place, inside * share[:, None])
            if bend is not None:
                logits.mul_(bend)
            block += logits.div_(temperature).to(states.dtype).T @ states[rows]
        gradient[words] = block
    return gradient


def to_logits(logp: Tensor, entropies: Tensor, by_logprob: Tensor, by_entropy: Tensor | None = None) -> None:
    """Turn log p [n, v] into the gradient by the logits, in place: -p (a + b (log p + H)), with a and b [n] the gradients by
    log-probability and entropy H. What the targets get besides, a, is left to the caller."""
    if by_entropy is None:
        logp.exp_().mul_(-by_logprob[:, None])
    else:
        factor = (logp + entropies[:, None]).mul_(by_entropy[:, None]).add_(by_logprob[:, None])
        logp.exp_().mul_(factor.neg_())


def _logits(states: Tensor, weight: Tensor, temperature: float, cap: float | None) -> Tensor:
    """Fresh float32 logits [n, v], computed in the dtype of the weights as the model computes them."""
    logits = F.linear(states, weight).float()
    if temperature != 1.0:
        logits.div_(temperature)
    return logits if cap is None else bounded(logits, cap)


def _bend(logits: Tensor, cap: float) -> Tensor:
    """The derivative of bounded logits by what they were: 1 - (logits / cap)^2."""
    return (logits / cap).square_().neg_().add_(1.0)


def _times(factors: Tensor, weight: Tensor, bend: Tensor | None) -> Tensor:
    """factors [n, v], times `bend` if there is one, times the rows of `weight` [v, H], in its dtype: [n, H]."""
    return (factors if bend is None else factors * bend).to(weight.dtype) @ weight


def _at_targets(logits: Tensor, targets: Tensor, words: slice) -> Tensor:
    """The logits [n, 1] of those targets that lie in this chunk, 0 for the others."""
    inside, place = _inside(targets, words)
    return logits.gather(-1, place) * inside


def _inside(targets: Tensor, words: slice) -> tuple[Tensor, Tensor]:
    """Which targets lie in the chunk [n, 1], 0.0 or 1.0, and where [n, 1] (anywhere for the others)."""
    size = words.stop - words.start
    place = targets[:, None] - words.start
    return ((place >= 0) & (place < size)).float(), place.clamp(0, size - 1)


def slices(count: int, size: int) -> Iterator[slice]:
    """0 .. `count` in pieces of `size`; the last may be smaller."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
