"""One round of a GRPO step: prompts drawn, rolled out and judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from src.data.prompts import Chat, decode
from src.data.records import Question
from src.distributed.streams import stream
from src.models.load import policy_weights
from src.rewards.base import Judged
from src.rollout.base import Engine, Rollout
from src.rollout.build import sampling_of
from src.stages.judge import Judge
from src.stages.pending import Pending
from src.stages.stage import Stage
from src.stages.supervised import order


@dataclass(frozen=True)
class Sampled:
    """One rollout with what it answers and how it was judged; `group` numbers the prompt within the step."""

    group: int
    question: Question
    prompt: list[int]
    rollout: Rollout
    judged: Judged


@dataclass(frozen=True)
class Sampler:
    """Calls give the rounds of a step, each made of `grpo.prompts_per_step` prompts."""

    stage: Stage
    policy: Any
    chat: Chat
    engine: Engine
    judge: Judge
    questions: Sequence[Question]

    def __call__(self, step: int, round: int) -> tuple[list[Sampled], float]:
        """The rollouts of all ranks, the same on every rank, ordered by prompt; and the seconds they took to sample.

        All randomness is a function of (seed, step, prompt), and rollouts that an interrupted attempt left are taken
        up, so a step that is repeated finds the same rollouts.
        """
        config, ranks, began = self.stage.config, self.stage.ranks, time.perf_counter()
        per_step, seed = config.grpo.prompts_per_step, config.seed
        chosen = draw(len(self.questions), step, round, per_step, seed)
        mine = ranks.share([(round * per_step + place, self.questions[i]) for place, i in enumerate(chosen)])
        prompts = [self.chat.prompt(question) for _, question in mine]
        pending = Pending.of(self.stage.directory, ranks.rank, ranks.size, round)
        groups = pending.load(self.stage.planned.identity, step, round)
        if groups is None:
            self.engine.load(policy_weights(self.policy))
            streams = [stream("rollout", seed, step, number) for number, _ in mine]
            completions, sampling = config.grpo.completions_per_prompt, sampling_of(config.rollout)
            groups = self.engine.generate(prompts, streams, completions, sampling)
            pending.save(self.stage.planned.identity, step, round, groups)
        seconds = time.perf_counter() - began
        flat = [
            (number, question, prompt, rollout)
            for (number, question), prompt, group in zip(mine, prompts, groups, strict=True)
            for rollout in group
        ]
        verdicts = self.judge(
            [question for _, question, _, _ in flat],
            [decode(self.chat.tokenizer, rollout.tokens) for *_, rollout in flat],
            [len(rollout.tokens) for *_, rollout in flat],
            [rollout.truncated for *_, rollout in flat],
        )
        own = [Sampled(*row, judged=verdict) for row, verdict in zip(flat, verdicts, strict=True)]
        return sorted(ranks.gather(own), key=lambda row: row.group), seconds  # stable: the same on every rank


def draw(count: int, step: int, round: int, per_step: int, seed: int) -> list[int]:
    """Indices of the prompts of one round. Round 0 goes through the epochs of `order`; a later round draws at random
    from all prompts, those least often drawn in this step first."""
    chosen = order(count, step, per_step, seed)
    if round == 0:
        return chosen
    for number in range(1, round + 1):
        generator = torch.Generator().manual_seed(stream("round", seed, step, number))
        times = Counter(chosen)
        fresh = sorted(torch.randperm(count, generator=generator).tolist(), key=times.__getitem__)
        chosen += [fresh[place % count] for place in range(per_step)]
    return chosen[-per_step:]
