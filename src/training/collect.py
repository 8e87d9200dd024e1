"""Collect the trajectories of a GRPO step, a round of prompts at a time: drawn, rolled out, judged, given the evidence that
the reward asks for, held against the trainer's log-probabilities."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from src.common.seeds import derive_seed
from src.data.chat import Chat
from src.data.records import Question
from src.data.selection.by_problem import draw_by_problem, problems_of
from src.models.load import pad_token, policy_weights
from src.pipeline.stage import Stage
from src.rewards.base import PIVOT
from src.rollout.asking import Asking
from src.rollout.engines.base import Engine, Rollout
from src.rollout.evidence import Evidence, classes
from src.rollout.generate import EngineUnderLimit, Generate, Mismatch, Prompt, Trajectory, answer_questions
from src.rollout.judge import Judge
from src.rollout.spec import RolloutSpec
from src.training.mismatch import Distance, Logprobs, Probe, check
from src.training.rollout_cache import RolloutCache
from src.training.supervised import order


@dataclass(frozen=True)
class Collector:
    """Collects the rounds of a step, each of `grpo.prompts_per_step` prompts. `logprobs` is how the trainer computes
    log-probabilities, by default with `policy` itself."""

    stage: Stage
    policy: Any
    chat: Chat
    engine: Engine
    judge: Judge
    evidence: Evidence
    questions: Sequence[Question]
    logprobs: Logprobs | None = None

    def __call__(self, step: int, number: int) -> tuple[list[Trajectory], float]:
        """The trajectories of round `number` of `step`, of all ranks and the same on every rank, ordered by prompt; and the
        seconds it took to sample.

        All randomness is a function of (seed, step, prompt), and rollouts that an interrupted attempt left are taken
        up, so a step that is repeated finds the same rollouts.

        Raises:
            SamplerMismatch: the sampler's log-probabilities are not the trainer's.
        """
        config = self.stage.config
        ranks = self.stage.ranks
        per_step = config.grpo.prompts_per_step
        seed = config.seed
        began = time.perf_counter()
        if config.grpo.prompts_by == "problem":
            chosen = draw_by_problem(problems_of(self.questions), step, number, per_step, seed)
        else:
            chosen = draw(len(self.questions), step, number, per_step, seed)
        mine = ranks.shard([(number * per_step + place, self.questions[i]) for place, i in enumerate(chosen)])
        groups = [group for group, _ in mine]
        calls = itertools.count()
        seconds = 0.0

        def generate(
            prompts: Sequence[Prompt], samples: int, sampling: RolloutSpec = config.rollout
        ) -> list[list[Rollout]]:
            nonlocal seconds
            rollouts = self._generate(step, number, next(calls), prompts, samples, sampling)
            seconds = time.perf_counter() - began  # until the last call, of a strategy that makes several
            return rollouts

        questions = [question for _, question in mine]
        seeds = [derive_seed("rollout", seed, step, group) for group in groups]
        samples = config.grpo.completions_per_prompt
        strategy = Asking(config.strategy)
        own = answer_questions(generate, self.chat, self.judge, questions, seeds, samples, strategy, groups)
        pivots = self._own_answers(generate, questions, groups, step)
        own = self.evidence(own, step, [pivots.get(row.group) for row in own])
        if config.objective.advantage.normaliser == "greedy":
            likeliest = partial(generate, sampling=replace(config.rollout, top_k=1, top_p=1.0, min_p=0.0))
            answers = answer_questions(likeliest, self.chat, self.judge, questions, seeds, 1, strategy, groups)
            answers = self.evidence(answers, step, [pivots.get(row.group) for row in answers])
            greedy = {row.group: row.sample for row in answers}
            own = [replace(row, greedy=greedy[row.group]) for row in own]
        probed = self._probe(own)
        own = [replace(trajectory, mismatch=probed.get(index)) for index, trajectory in enumerate(own)]
        every = sorted(ranks.gather(own), key=lambda trajectory: trajectory.group)  # stable: the same on every rank
        mismatches = [trajectory.mismatch for trajectory in every if trajectory.mismatch is not None]
        distances = partial(self._distances, own)
        check(mismatches, config.rollout, config.model.dtype, self.engine.name, distances)
        return every, seconds

    def _own_answers(
        self, generate: Generate, questions: Sequence[Question], groups: Sequence[int], step: int
    ) -> dict[int, tuple[str, ...]]:
        """Group -> the classes of the policy's own answers to the question in the pivot language, where the reward asks for
        them and the question is known in it."""
        if PIVOT not in self.evidence.needs:
            return {}
        spec = self.stage.config.services
        pairs = zip(groups, self.evidence.own_questions(questions, step), strict=True)
        known = {group: question for group, question in pairs if question is not None}
        seeds = [derive_seed("pivot", self.stage.config.seed, step, group) for group in known]
        rows = answer_questions(
            generate, self.chat, self.judge, list(known.values()), seeds, spec.own_answers, groups=list(known)
        )
        return {
            group: classes([row.sample.grade.answer for row in rows if row.group == group], spec.pivot)
            for group in known
        }

    def _generate(
        self, step: int, number: int, call: int, prompts: Sequence[Prompt], samples: int, sampling: RolloutSpec
    ) -> list[list[Rollout]]:
        """The rollouts of call `call` of a round: those that an interrupted attempt left, or those of the engine with the
        policy's weights."""
        config = self.stage.config
        ranks = self.stage.ranks
        identity = self.stage.planned.identity
        cache = RolloutCache.of(self.stage.directory, ranks.rank, ranks.size, number, call)
        engine = EngineUnderLimit(
            self.engine,
            sampling,
            ranks.rank,
            f"the rollouts of step {step + 1}",
            "is it making progress? If it is, raise rollout.timeout_s; if not, look at its own messages above",
            policy_weights(self.policy),
        )
        groups = cache.load(identity, step, number)
        shared = config.rollout.vllm.tensor_parallel > 1  # ranks of one engine go through it together
        if ranks.max(groups is None):  # all ranks hand over weights together: each may hold only a part of them
            if groups is None or shared:
                groups = engine(prompts, samples)
                cache.save(identity, step, number, groups)
            else:
                engine.load()
        assert groups is not None
        return groups

    @property
    def probe(self) -> Probe:
        """What gives rollouts to the trainer."""
        config = self.stage.config
        pad = pad_token(self.chat.tokenizer)
        device = self.stage.ranks.device
        return Probe(self.policy, self.engine, config.rollout, config.model.dtype, pad, device, self.logprobs)

    def _probe(self, trajectories: Sequence[Trajectory]) -> dict[int, Mismatch]:
        """Index -> mismatch of the rollouts that the trainer was asked about; none where no policy sampled them."""
        prompts = [trajectory.prompt for trajectory in trajectories]
        return self.probe(prompts, [trajectory.rollout for trajectory in trajectories])

    def _distances(self, trajectories: Sequence[Trajectory]) -> list[Distance]:
        """Those rollouts, of all ranks, against the policy in float32; nothing where a rank cannot hold it."""
        prompts = [trajectory.prompt for trajectory in trajectories]
        own = self.probe.distances(prompts, [trajectory.rollout for trajectory in trajectories])
        possible = self.stage.ranks.gather([bool(own) or not trajectories])
        every = self.stage.ranks.gather(own)
        return every if all(possible) else []


def draw(count: int, step: int, number: int, per_step: int, seed: int) -> list[int]:
    """Indices of the prompts of round `number`. Round 0 goes through the epochs of `order`; a later round draws at random
    from all prompts, those least often drawn in this step first."""
    chosen = order(count, step, per_step, seed)
    if number == 0:
        return chosen
    for later in range(1, number + 1):
        generator = torch.Generator().manual_seed(derive_seed("round", seed, step, later))
        times = Counter(chosen)
        fresh = sorted(torch.randperm(count, generator=generator).tolist(), key=times.__getitem__)
        chosen += [fresh[place % count] for place in range(per_step)]
    return chosen[-per_step:]
