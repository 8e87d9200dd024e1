"""The update of a GRPO step: mini-batches of whole groups, cut into micro-batches whose gradients add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from src.algorithm.losses import PolicyObjective, entropy_threshold, token_weights
from src.algorithm.spec import LossSpec
from src.models.logprobs import Batch, collate, microbatches
from src.models.prefix import can_share, shared_microbatches
from src.rollout.generate import Trajectory
from src.training.learner import Learner
from src.training.metrics import RowUpdate


def minibatches(groups: Sequence[int], trained: Sequence[int], count: int) -> list[list[int]]:
    """Indices of the trajectories of each mini-batch: the k-th of the `trained` groups is in part k mod `count`, whole. A
    part that has none is left out.

    Args:
        groups: the group of each trajectory, [N].
    """
    part = {group: place % count for place, group in enumerate(trained)}
    parts = [[i for i, group in enumerate(groups) if part.get(group) == number] for number in range(count)]
    return [rows for rows in parts if rows]


@dataclass(frozen=True)
class MicroBatch:
    """Which of the step's trajectories it holds, and the log-probabilities of the sampler for their tokens (B, C). One that
    holds none has a row without tokens: a rank with less to do goes through it beside the others. One that does not `learn`
    adds nothing to the gradient, and is gone through for its metrics alone."""

    indices: list[int]
    batch: Batch
    sampler: Tensor
    learns: bool = True


@dataclass(frozen=True)
class Updater:
    """Makes the updates of a step. `frozen` is the reference policy, None where it is the policy without its adapters or
    there is none; `tokens_per_microbatch` bounds what goes through the policy at a time."""

    learner: Learner
    loss: LossSpec
    temperature: float
    tokens_per_microbatch: int
    pad: int
    frozen: Any | None = None

    def microbatches(
        self, trajectories: Sequence[Trajectory], rows: Sequence[int], advantage: Tensor
    ) -> list[MicroBatch]:
        """This rank's share of the mini-batch `rows`, cut into micro-batches: first those that learn, at least one, then those
        whose rows all have advantage 0 where nothing else in the loss has a gradient.

        Args:
            advantage: of every trajectory of the step, [N].
        """
        learning = [i for i in rows if self._has_gradient(float(advantage[i]))]
        silent = [i for i in rows if not self._has_gradient(float(advantage[i]))]
        return self._cut(trajectories, learning, learns=True) + self._cut(trajectories, silent, learns=False)

    @cached_property
    def _shares(self) -> bool:
        """Whether prompts that several completions have may be gone through once."""
        return self.learner.shares and can_share(self.learner.policy)

    def _has_gradient(self, advantage: float) -> bool:
        """Whether a trajectory adds to the gradient: every surrogate is a multiple of the advantage."""
        return bool(advantage != 0.0 or self.loss.kl_coefficient or self.loss.entropy_coefficient)

    def _cut(self, trajectories: Sequence[Trajectory], rows: Sequence[int], learns: bool) -> list[MicroBatch]:
        ranks = self.learner.ranks
        lengths = {i: len(trajectories[i].prompt) + len(trajectories[i].rollout.tokens) for i in rows}
        mine = ranks.shard(sorted(rows, key=lambda i: (lengths[i], i)))
        parts = None
        if mine and self._shares:
            responses = [len(trajectories[i].rollout.tokens) for i in mine]
            parts = shared_microbatches([trajectories[i].prompt for i in mine], responses, self.tokens_per_microbatch)
        share = parts is not None
        batches = []
        for places in parts or microbatches([lengths[i] for i in mine], self.tokens_per_microbatch):
            indices = [mine[place] for place in places]
            chosen = [trajectories[i] for i in indices]
            batch = collate([row.prompt for row in chosen], [row.rollout.tokens for row in chosen], self.pad, share)
            sampler = torch.nn.utils.rnn.pad_sequence([row.rollout.logprobs for row in chosen], batch_first=True)
            batches.append(MicroBatch(indices, batch.to(ranks.device), sampler.to(ranks.device), learns))
        empty = collate([[self.pad]], [[]], self.pad).to(ranks.device)
        idle = MicroBatch([], empty, torch.zeros(1, 1, device=ranks.device), learns)
        every = max(self.learner.rounds(len(batches)), int(learns))
        return batches + [idle] * (every - len(batches))

    @torch.no_grad()
    def old_logprobs(self, batches: Sequence[MicroBatch]) -> dict[int, Tensor]:
        """What the ratio is taken to, (C,) for each trajectory: the sampler's log-probabilities, or with an importance cap
        the trainer's own before the step's first update, in the same micro-batches: but for rounding, the first ratio is 1."""
        old_of: dict[int, Tensor] = {}
        for micro in batches:
            old = micro.sampler
            if self.loss.importance_cap:
                old, _ = self.learner.logprobs(micro.batch, self.temperature, entropy="none")
            old_of.update(zip(micro.indices, old[: len(micro.indices)], strict=True))
        return old_of

    def accumulate(
        self,
        batches: Sequence[MicroBatch],
        advantage: Tensor,
        old: Mapping[int, Tensor],
        global_tokens: int,
        global_sequences: int,
    ) -> tuple[float, dict[int, RowUpdate]]:
        """Add the gradient of this rank's share of a mini-batch: that share of the loss, and what each trajectory went
        through.

        Token weights are made from the counts of the whole mini-batch, so that the sum over micro-batches and ranks
        is the loss, however they are cut.

        Args:
            advantage: of every trajectory of the step, [N].
        """
        total = 0.0
        changes: dict[int, RowUpdate] = {}
        uncertain = self._uncertain(batches)
        for place, micro in enumerate(batches):
            objective = self._objective(micro, advantage, old, global_tokens, global_sequences)
            if uncertain:
                objective = replace(objective, uncertain=uncertain[place])
            value, new, entropy = self._go_through(micro, objective)
            total += value
            ratio = objective.ratio(new)
            penalty = objective.penalty(new)
            mismatch = objective.old - objective.sampler
            counted = objective.counted(new)
            for row, index in enumerate(micro.indices):
                real = micro.batch.mask[row].bool()
                changes[index] = RowUpdate.of(
                    ratio[row][real],
                    None if penalty is None else penalty[row][real],
                    entropy[row][real],
                    float(objective.advantage[row]),
                    self.loss,
                    mismatch[row][real],
                    None if counted is None else counted[row][real],
                )
        return total, changes

    def _go_through(self, micro: MicroBatch, objective: PolicyObjective) -> tuple[float, Tensor, Tensor]:
        """The micro-batch's share of the loss, and log-probabilities and entropies (B, C), its gradient added if it has one."""
        if micro.learns:
            entropies = "gradient" if self.loss.entropy_coefficient else "value"
            return self.learner.learn(micro.batch, objective, self.temperature, entropies, self.loss.by_token)
        with torch.no_grad():
            new, entropy = self.learner.logprobs(micro.batch, self.temperature, "value")
        return float(objective(new, entropy)), new, entropy

    @torch.no_grad()
    def _uncertain(self, batches: Sequence[MicroBatch]) -> list[Tensor]:
        """1 on the tokens (B, C) of each micro-batch that are among the `top_entropy` of the whole mini-batch, of all ranks;
        nothing where all tokens count. It takes a pass of its own, as no micro-batch knows the others' entropies."""
        if self.loss.top_entropy == 1.0:
            return []
        entropies = [self.learner.logprobs(micro.batch, self.temperature, "value")[1] for micro in batches]
        masks = [micro.batch.mask for micro in batches]
        own = [entropy[mask.bool()].cpu() for entropy, mask in zip(entropies, masks, strict=True)]
        every = self.learner.ranks.gather(own)
        threshold = entropy_threshold(torch.cat(every) if every else torch.zeros(0), self.loss.top_entropy)
        return [(entropy >= threshold) * mask for entropy, mask in zip(entropies, masks, strict=True)]

    def _objective(
        self,
        micro: MicroBatch,
        advantage: Tensor,
        old: Mapping[int, Tensor],
        global_tokens: int,
        global_sequences: int,
    ) -> PolicyObjective:
        """The loss of a micro-batch as a function of its log-probabilities."""
        spec = self.loss
        mask = micro.batch.mask
        own = advantage[micro.indices].to(self.learner.ranks.device)
        return PolicyObjective(
            spec=spec,
            old=torch.stack([old[index] for index in micro.indices]) if micro.indices else micro.sampler,
            sampler=micro.sampler,
            reference=self._reference(micro.batch),
            advantage=own if micro.indices else own.new_zeros(1),
            mask=mask,
            weights=token_weights(mask, spec.aggregation, global_tokens, global_sequences, spec.maximum_tokens),
        )

    @torch.no_grad()
    def _reference(self, batch: Batch) -> Tensor | None:
        """The reference policy's log-probabilities (B, C), if the loss asks for them."""
        if not self.loss.kl_coefficient:
            return None
        return self.learner.reference_logprobs(batch, self.temperature, self.frozen)[0]
