"""Learning from given completions: the loop that pre-training and SFT share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from src.common.seeds import derive_seed
from src.distributed.spec import OptimiserSpec
from src.models.fused import Objective
from src.models.logprobs import Batch, collate, microbatches
from src.pipeline.stage import Stage
from src.training.build import build_learner
from src.training.learner import Learner
from src.training.loop import Loop


@dataclass(frozen=True)
class Row:
    """One training sequence: the loss is on `completion` alone."""

    prompt: list[int]
    completion: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


@dataclass(frozen=True)
class Recipe:
    """How long and how: `steps` updates of `sequences_per_step` sequences, in epochs drawn from `seed`."""

    steps: int
    sequences_per_step: int
    tokens_per_microbatch: int
    optimiser: OptimiserSpec
    validate_every_steps: int = 0

    def validates(self, finished: int) -> bool:
        """Whether there is a validation after so many steps: every `validate_every_steps` (0: never), and at the end."""
        every = self.validate_every_steps
        return every > 0 and (finished == self.steps or finished % every == 0)


def train(
    stage: Stage, model: Any, sequences: Sequence[Row], validation: Sequence[Row], recipe: Recipe, pad: int
) -> None:
    """Train `model` in place; checkpoints, resumes, logs. Bit-for-bit repeatable on the same number of ranks."""
    config = stage.config
    ranks = stage.ranks
    policy = build_learner(model, recipe.optimiser, ranks, config.distributed)
    with Loop(stage, policy, recipe.steps) as loop:
        for step in loop:
            began = time.perf_counter()
            # 1. The sequences of this step, and this rank's share of them.
            chosen = [sequences[i] for i in order(len(sequences), step, recipe.sequences_per_step, config.seed)]
            target_tokens = sum(len(sequence.completion) for sequence in chosen)
            mine = ranks.shard(sorted(chosen, key=len))
            # 2. Loss per target token over the whole step, whatever the split into ranks and micro-batches.
            loss = backward(policy, mine, target_tokens, recipe.tokens_per_microbatch, pad)
            (loss,) = ranks.sum([loss])
            # 3. One update.
            rate = recipe.optimiser.rate(step, recipe.steps)
            norm = policy.update(rate, loss, f"{stage.planned.name} step {step + 1}")
            # 4. Log, validate, save.
            metrics = {
                "loss": loss,
                "learning_rate": rate,
                "grad_norm": norm,
                "progress": (step + 1) / recipe.steps,
                "tokens_per_second": sum(map(len, chosen)) / (time.perf_counter() - began),
            }
            if validation and recipe.validates(step + 1):
                metrics["validation_loss"] = evaluate(policy, validation, recipe.tokens_per_microbatch, pad)
            loop.log(metrics, f"loss {loss:.3f}")
            loop.save()


def order(count: int, step: int, per_step: int, seed: int) -> list[int]:
    """Indices of one step: consecutive pieces of one permutation after another, one for each epoch."""
    chosen: list[int] = []
    position = step * per_step
    while len(chosen) < per_step:
        epoch, offset = divmod(position + len(chosen), count)
        generator = torch.Generator().manual_seed(derive_seed("order", seed, epoch))
        permutation = torch.randperm(count, generator=generator).tolist()
        chosen += permutation[offset : offset + per_step - len(chosen)]
    return chosen


def backward(policy: Learner, sequences: Sequence[Row], target_tokens: int, per_microbatch: int, pad: int) -> float:
    """Add the gradient of (sum of -log p over these sequences) / `target_tokens`; returns that loss."""
    loss = mean_loss(target_tokens)
    batches = microbatched(policy, sequences, per_microbatch, pad)
    return sum(policy.learn(batch, loss, entropy="none")[0] for batch in batches)


@torch.no_grad()
def evaluate(policy: Learner, sequences: Sequence[Row], per_microbatch: int, pad: int) -> float:
    """Mean negative log-likelihood (nats a target token) over sequences that are not trained on."""
    loss = mean_loss(sum(len(sequence.completion) for sequence in sequences))
    batches = microbatched(policy, policy.ranks.shard(sequences), per_microbatch, pad)
    return policy.ranks.sum([sum(float(loss(*policy.logprobs(batch, entropy="none"))) for batch in batches)])[0]


def mean_loss(target_tokens: int) -> Objective:
    """(sum of -log p) / `target_tokens`, whatever the entropies."""
    return lambda logprobs, entropies: -logprobs.sum() / target_tokens


def microbatched(policy: Learner, sequences: Sequence[Row], per_microbatch: int, pad: int) -> Iterator[Batch]:
    """This rank's sequences in micro-batches; where ranks go in lockstep, those with less to do go through nothing."""
    parts = [[sequences[i] for i in indices] for indices in microbatches([len(s) for s in sequences], per_microbatch)]
    idle = [Row([pad], [])]
    for rows in parts + [idle] * (policy.rounds(len(parts)) - len(parts)):
        yield collate([r.prompt for r in rows], [r.completion for r in rows], pad).to(policy.ranks.device)
