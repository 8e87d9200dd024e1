"""One round of a GRPO step: prompts drawn, rolled out and judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from src.common.seeds import stream
from src.common.timeout import limit
from src.data.chat import Chat, decode
from src.data.records import Question
from src.models.load import pad_token, policy_weights
from src.models.logprobs import completion_logprobs
from src.pipeline.stage import Stage
from src.rewards.base import Judged
from src.rollout.engines.base import Engine, Rollout
from src.rollout.engines.build import sampling_of
from src.rollout.judge import Judge
from src.training.mismatch import Gap, Logprobs, check, probe
from src.training.rollout_cache import Pending
from src.training.supervised import order


@dataclass(frozen=True)
class Sampled:
    """One rollout with what it answers and how it was judged; `group` numbers the prompt within the step. `gap` is how
    far sampler and trainer are apart, of those that were probed."""

    group: int
    question: Question
    prompt: list[int]
    rollout: Rollout
    judged: Judged
    gap: Gap | None = None


@dataclass(frozen=True)
class Sampler:
    """Calls give the rounds of a step, each made of `grpo.prompts_per_step` prompts. `logprobs` is how the trainer computes
    log-probabilities, by default with `policy` itself."""

    stage: Stage
    policy: Any
    chat: Chat
    engine: Engine
    judge: Judge
    questions: Sequence[Question]
    logprobs: Logprobs | None = None

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
        if ranks.most(groups is None):  # all ranks hand over weights together: each may hold only a part of them
            with self._limit(step):
                self.engine.load(policy_weights(self.policy))
                shared = config.rollout.vllm.tensor_parallel > 1  # ranks of one engine go through it together
                if groups is None or shared:
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
            [decode(self.chat.tokenizer, rollout.said) for *_, rollout in flat],
            [len(rollout.tokens) for *_, rollout in flat],
            [rollout.truncated for *_, rollout in flat],
        )
        gaps = self._probe(flat)
        own = [Sampled(*row, verdict, gaps.get(i)) for i, (row, verdict) in enumerate(zip(flat, verdicts, strict=True))]
        every = sorted(ranks.gather(own), key=lambda row: row.group)  # stable: the same on every rank
        known = [row.gap for row in every if row.gap is not None]
        check(known, config.rollout, config.model.dtype, self.engine.name)
        return every, seconds

    def _probe(self, flat: Sequence[tuple[int, Question, list[int], Rollout]]) -> dict[int, Gap]:
        """Index -> gap of the rollouts that the trainer was asked about; none where no policy sampled them."""
        config = self.stage.config
        if not (config.rollout.probe_rows and self.engine.probed):
            return {}
        logprobs = self.logprobs or partial(completion_logprobs, self.policy)
        prompts, rollouts = [prompt for _, _, prompt, _ in flat], [rollout for *_, rollout in flat]
        return probe(
            logprobs, prompts, rollouts, config.rollout, pad_token(self.chat.tokenizer), self.stage.ranks.device
        )

    def _limit(self, step: int) -> AbstractContextManager[None]:
        rollout, rank = self.stage.config.rollout, self.stage.ranks.rank
        return limit(
            rollout.timeout_s, f"the rollouts of step {step + 1} from engine {self.engine.name}",
            "is it making progress? If it is, raise rollout.timeout_s; if not, look at its own messages above", rank,
        )  # fmt: skip


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
