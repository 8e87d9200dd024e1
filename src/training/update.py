"""The update of a GRPO step: mini-batches of whole groups, cut into micro-batches whose gradients add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from src.algorithm.advantages import AdvantageResult
from src.algorithm.losses import PolicyObjective, token_weights
from src.models.logprobs import Batch, collate, microbatches
from src.pipeline.stage import Stage
from src.training.collect import Sampled
from src.training.learner import Learner
from src.training.metrics import RowUpdate


def minibatches(sampled: Sequence[Sampled], trained: Sequence[int], count: int) -> list[list[int]]:
    """Indices of the rollouts of each mini-batch: the k-th of the `trained` groups is in part k mod `count`, whole. A
    part that has none is left out."""
    part = {group: place % count for place, group in enumerate(trained)}
    parts = [[i for i, row in enumerate(sampled) if part.get(row.group) == number] for number in range(count)]
    return [rows for rows in parts if rows]


@dataclass(frozen=True)
class Piece:
    """One micro-batch: which of the step's rollouts it holds, and what the sampler gave their tokens [B, C]. One that
    holds none has a row without tokens: a rank with less to do goes through it beside the others."""

    indices: list[int]
    batch: Batch
    sampler: Tensor


def cut(stage: Stage, learning: Learner, sampled: Sequence[Sampled], rows: Sequence[int], pad: int) -> list[Piece]:
    """This rank's share of the mini-batch `rows`, cut into micro-batches."""
    device, found = stage.ranks.device, []
    lengths = {i: len(sampled[i].prompt) + len(sampled[i].rollout.tokens) for i in rows}
    mine = stage.ranks.share(sorted(rows, key=lambda i: (lengths[i], i)))
    for places in microbatches([lengths[i] for i in mine], stage.config.grpo.tokens_per_microbatch):
        indices = [mine[place] for place in places]
        group = [sampled[i] for i in indices]
        batch = collate([row.prompt for row in group], [row.rollout.tokens for row in group], pad)
        sampler = torch.nn.utils.rnn.pad_sequence([row.rollout.logprobs for row in group], batch_first=True)
        found.append(Piece(indices, batch.to(device), sampler.to(device)))
    idle = Piece([], collate([[pad]], [[]], pad).to(device), torch.zeros(1, 1, device=device))
    return found + [idle] * (learning.rounds(len(found)) - len(found))


@torch.no_grad()
def old_logprobs(stage: Stage, learning: Learner, pieces: Sequence[Piece]) -> dict[int, Tensor]:
    """What the ratio is taken to, [C] for each rollout: the sampler's log-probabilities, or with an importance cap the
    trainer's own before the step's first update, in the same micro-batches, so that the first ratio is exactly 1."""
    found: dict[int, Tensor] = {}
    for piece in pieces:
        old = piece.sampler
        if stage.config.objective.loss.importance_cap:
            old, _ = learning.logprobs(piece.batch, stage.config.rollout.temperature, entropy="none")
        found.update(zip(piece.indices, old[: len(piece.indices)], strict=True))
    return found


def accumulate(
    stage: Stage, learning: Learner, frozen: Any | None, pieces: Sequence[Piece], global_tokens: int, global_sequences: int,
    result: AdvantageResult, old: dict[int, Tensor], changes: dict[int, RowUpdate],
) -> float:  # fmt: skip
    """Add the gradient of this rank's share of a mini-batch; returns that share of the loss.

    Token weights are made from the counts of the whole mini-batch, so that the sum over micro-batches and ranks
    is the loss, however they are cut. What each row went through is added to `changes`.
    """
    spec, temperature = stage.config.objective.loss, stage.config.rollout.temperature
    total = 0.0
    for piece in pieces:
        batch = piece.batch
        advantage = result.advantage[piece.indices].to(stage.ranks.device)
        objective = PolicyObjective(
            spec=spec,
            old=torch.stack([old[index] for index in piece.indices]) if piece.indices else piece.sampler,
            sampler=piece.sampler,
            reference=_reference(stage, learning, frozen, batch),
            advantage=advantage if piece.indices else advantage.new_zeros(1),
            mask=batch.mask,
            weights=token_weights(batch.mask, spec.aggregation, global_tokens, global_sequences, spec.maximum_tokens),
        )
        entropies = "gradient" if spec.entropy_coefficient else "value"
        value, new, entropy = learning.learn(batch, objective, temperature, entropies, spec.by_token)
        total += value
        ratio, penalty, mismatch = objective.ratio(new), objective.penalty(new), objective.old - objective.sampler
        for place, index in enumerate(piece.indices):
            real = batch.mask[place].bool()
            changes[index] = RowUpdate.of(
                ratio[place][real], None if penalty is None else penalty[place][real], entropy[place][real],
                float(advantage[place]), spec, mismatch[place][real],
            )  # fmt: skip
    return total


@torch.no_grad()
def _reference(stage: Stage, learning: Learner, frozen: Any | None, batch: Batch) -> Tensor | None:
    """The reference policy's log-probabilities [B, C], if the loss asks for them."""
    if not stage.config.objective.loss.kl_coefficient:
        return None
    return learning.reference_logprobs(batch, stage.config.rollout.temperature, frozen)[0]
