"""What a model makes of its last hidden states: the vocabulary projection, and what its forward pass does around it.

Granite and Cohere scale their logits, Gemma 2 bounds them, MiniCPM scales the states; the names of these settings differ from
model to model, and remote code has its own. So none is read: the model runs once with known values in place of what its
projection gives, and what comes out says what it does to them.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

# Where the function after the projection is looked at: small enough to be linear in every cap, up to where every cap holds.
SMALL = 2.0**-8
LARGE = 2.0**20
TOLERANCE = 1e-4  # of what is measured, in float32
PROBE_TOKENS = 4

_measured: weakref.WeakKeyDictionary[nn.Module, Head | None] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Head:
    """Logits = bounded(scale x module(states)), where bounded(z) is cap tanh(z / cap), and z itself without a cap."""

    module: Any  # from states [N, H] to [N, V]
    scale: float = 1.0
    cap: float | None = None

    @property
    def weight(self) -> Tensor:
        """[V, H]."""
        weight: Tensor = self.module.weight
        return weight

    @property
    def plain(self) -> bool:
        """Whether the projection is nothing but a product with its weight."""
        return type(self.module) is nn.Linear and self.module.bias is None

    def temperature(self, temperature: float) -> float:
        """What the projection is to be divided by for logits at `temperature`."""
        return temperature / self.scale

    def bound(self, temperature: float) -> float | None:
        """The cap of logits that have been divided by `temperature`."""
        return None if self.cap is None else self.cap / temperature


def head_of(plain: Any) -> Head | None:
    """The head of a plain transformers model; None of one whose logits are something else, which only it can compute.

    It is measured once for each model, the first time, by two passes over a few tokens on whatever holds its weights.
    """
    if plain not in _measured:
        _measured[plain] = _measure(plain)
    return _measured[plain]


def bounded(logits: Tensor, cap: float) -> Tensor:
    """cap tanh(logits / cap), in place."""
    return logits.div_(cap).tanh_().mul_(cap)


@torch.no_grad()
def _measure(plain: Any) -> Head | None:
    module = plain.get_output_embeddings()
    if module is None or not hasattr(module, "weight"):
        return None
    given: list[Tensor] = []
    grid = _grid(plain.config.get_text_config().vocab_size)

    def replace(_: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        given.append(inputs[0])
        return grid[: output.shape[-1]].to(output.device).expand(*output.shape[:-1], -1)

    training = plain.training
    plain.eval()
    tokens = torch.arange(1, PROBE_TOKENS + 1, device=plain.device)[None] % len(grid)
    states = plain.base_model(input_ids=tokens, use_cache=False).last_hidden_state  # [1, N, H]
    hook = module.register_forward_hook(replace)
    try:
        logits = plain(input_ids=tokens, use_cache=False).logits  # [1, N, V]
    finally:
        hook.remove()
        plain.train(training)
    if not given or given[0].shape != states.shape or logits.shape[-1] != module.weight.shape[0]:
        return None
    before = _ratio(given[0].float(), states.float(), 2e-2 if states.dtype == torch.bfloat16 else TOLERANCE)
    fitted = _fit(grid[: logits.shape[-1]].to(logits.device), logits[0, 0].float())
    if before is None or fitted is None:
        return None
    scale, cap = fitted
    head = Head(module, scale * before, cap)
    return head if before == 1.0 or head.plain else None


def _grid(count: int) -> Tensor:
    """`count` values of both signs: `SMALL`, `LARGE`, and powers of two between them."""
    powers = torch.logspace(-8, 20, 57, base=2.0, dtype=torch.float32)
    values = torch.cat([torch.tensor([SMALL, LARGE]), torch.stack([powers, -powers], 1).flatten()])
    return values.repeat(-(-count // len(values)))[:count]


def _ratio(values: Tensor, of: Tensor, tolerance: float) -> float | None:
    """The one number that `of` is multiplied by to give `values`, 1.0 exactly where it is near; None where there is none."""
    size = float((of * of).sum())
    ratio = float((values * of).sum()) / size if size else 1.0
    if not float((values - ratio * of).norm()) <= tolerance * float(values.norm()):
        return None
    return 1.0 if abs(ratio - 1.0) < TOLERANCE else ratio


def _fit(grid: Tensor, values: Tensor) -> tuple[float, float | None] | None:
    """(scale, cap) of the function that makes `values` of `grid`; None where it is another."""
    if len(grid) < 4 or not values.isfinite().all():
        return None
    scale = float(values[0]) / SMALL
    scale = 1.0 if abs(scale - 1.0) < TOLERANCE else scale
    largest = float(values[1])
    straight = scale * LARGE
    cap = None if abs(largest - straight) <= TOLERANCE * abs(straight) else abs(largest)
    expected = scale * grid
    if cap is not None:
        expected = bounded(expected, cap) if cap else expected
    near = torch.isclose(values, expected, rtol=10 * TOLERANCE, atol=TOLERANCE * SMALL)
    return (scale, cap) if scale > 0 and near.all() else None
