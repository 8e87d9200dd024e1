"""AdamW, and one update of it that checks what it does."""

from __future__ import annotations

import math

import torch
from torch import nn

from src.distributed.ranks import Ranks
from src.distributed.spec import OptimiserSpec
from src.errors import UserError


class NotFinite(UserError):
    """A loss or a gradient is NaN or infinite; the weights were not changed."""


def adamw(model: nn.Module, spec: OptimiserSpec) -> torch.optim.AdamW:
    """AdamW over what is trainable in `model`."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    first, second = spec.betas
    return torch.optim.AdamW(
        parameters, lr=spec.learning_rate, betas=(first, second), weight_decay=spec.weight_decay, fused=True
    )


def update(
    optimiser: torch.optim.Optimizer, spec: OptimiserSpec, ranks: Ranks, rate: float, loss: float, where: str
) -> float:
    """Sum gradients over ranks, clip, step, zero: the gradient norm before clipping.

    Raises:
        NotFinite: the loss or the gradient norm is not finite, on any rank. The weights stay as they were.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    ranks.sum_gradients(parameters)
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, spec.gradient_clip))
    if not (math.isfinite(norm) and math.isfinite(loss)):
        raise NotFinite(
            f"{where}: loss {loss}, gradient norm {norm}; both must be finite. The weights were not changed and the "
            "last checkpoint is good. Lower the learning rate or look at the rollouts of this step, then run again"
        )
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return norm
