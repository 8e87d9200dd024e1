"""A policy while it is trained: log-probabilities, gradients, updates and state, the same for every way to split it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from src.common.errors import UserError
from src.distributed.ranks import Ranks
from src.distributed.spec import OptimiserSpec
from src.models.fused import Objective, can_fuse, learn_fused
from src.models.logprobs import Batch, completion_logprobs
from src.store.checkpoints import State


class NotFinite(UserError):
    """A loss or a gradient is NaN or infinite; the weights were not changed."""


class Learner:
    """Every rank holds the whole policy and its optimiser (AdamW over what is trainable in it)."""

    lockstep = False  # whether every rank must go through as many micro-batches as the others
    fuses = True  # whether a gradient may be added to a weight without going through autograd
    shares = True  # whether the model may be called twice for one gradient, so that prompts are gone through once

    def __init__(self, policy: Any, spec: OptimiserSpec, ranks: Ranks) -> None:
        self.policy = policy
        self.spec = spec
        self.ranks = ranks
        self.optimiser = adamw([p for p in policy.parameters() if p.requires_grad], spec)

    def rounds(self, microbatches: int) -> int:
        """How many micro-batches this rank must go through that has `microbatches` with something in them."""
        return self.ranks.max(microbatches) if self.lockstep else microbatches

    def logprobs(self, batch: Batch, temperature: float = 1.0, entropy: str = "value") -> tuple[Tensor, Tensor]:
        """See `src.models.logprobs.completion_logprobs`."""
        return completion_logprobs(self.policy, batch, temperature, entropy)

    def reference_logprobs(self, batch: Batch, temperature: float, frozen: Any | None) -> tuple[Tensor, Tensor]:
        """Those of the reference policy: `frozen`, or without one the policy with its adapters off."""
        if frozen is not None:
            return completion_logprobs(frozen, batch, temperature, entropy="none")
        with self.policy.disable_adapter():
            return self.logprobs(batch, temperature, entropy="none")

    def learn(
        self,
        batch: Batch,
        objective: Objective,
        temperature: float = 1.0,
        entropy: str = "value",
        by_token: bool = True,
    ) -> tuple[float, Tensor, Tensor]:
        """Add the gradient of `objective(logprobs, entropies)`, this rank's share of a loss that is the sum of all ranks'
        shares; its value, and the log-probabilities and entropies [B, C] (nats) without gradient.

        `by_token`: the objective is a sum over tokens of functions of that token's numbers. Then a trained head learns chunk
        by chunk (`src.models.fused`).
        """
        if by_token and self.fuses and can_fuse(self.policy):
            value, logprobs, entropies = learn_fused(self.policy, batch, objective, temperature, entropy)
        else:
            logprobs, entropies = self.logprobs(batch, temperature, entropy)
            value = objective(logprobs, entropies)
            self.backward(value)
        return float(value.detach()), logprobs.detach(), entropies.detach()

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of `loss`, this rank's share."""
        loss.backward()

    def update(self, rate: float, loss: float, where: str) -> float:
        """Sum gradients over ranks, clip, step, zero: the gradient norm before clipping.

        Raises:
            NotFinite: the loss or the gradient norm is not finite, on any rank. The weights stay as they were.
        """
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        self.ranks.sum_gradients(parameters)
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, self.spec.gradient_clip))
        check_finite(loss, norm, where)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return norm

    def state(self) -> State:
        """What a checkpoint holds. Every rank must ask for it."""
        named = trained(self.policy)
        moments = {
            f"{name}|{key}": torch.as_tensor(value).detach()
            for name, parameter in named.items()
            for key, value in self.optimiser.state.get(parameter, {}).items()
        }
        return State({name: parameter.detach() for name, parameter in named.items()}, moments)

    @torch.no_grad()
    def load(self, state: State) -> None:
        """Go on from `state`; its tensors may be taken over.

        Raises:
            CheckpointError: its weights are not those that are trained here.
        """
        named = trained(self.policy)
        state.check_fits(named)
        for name, parameter in named.items():
            parameter.copy_(state.weights[name])
        for key, value in state.moments.items():
            name, part = key.rsplit("|", 1)
            self.optimiser.state[named[name]][part] = value.to(named[name].device) if value.dim() else value


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name -> parameter of what is trained, in a fixed order."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def adamw(parameters: list[nn.Parameter], spec: OptimiserSpec) -> torch.optim.AdamW:
    """AdamW over `parameters`."""
    first, second = spec.betas
    return torch.optim.AdamW(
        parameters, lr=spec.learning_rate, betas=(first, second), weight_decay=spec.weight_decay, fused=True
    )


def check_finite(loss: float, norm: float, where: str) -> None:
    """Raise `NotFinite` unless both numbers are finite."""
    if not (math.isfinite(norm) and math.isfinite(loss)):
        raise NotFinite(
            f"{where}: loss {loss}, gradient norm {norm}; both must be finite. The weights were not changed and the "
            "last checkpoint is good. Lower the learning rate or look at the rollouts of this step, then run again"
        )
