"""Periodic validation: how the policy does on questions that it is not trained on, every few steps of GRPO. A sweep
ends a trial early by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from src.analysis.pareto import normalised_hypervolume
from src.common.seeds import derive_seed
from src.config.stages import MEASURED
from src.data import sources
from src.data.chat import Chat
from src.data.records import Question
from src.models.load import policy_weights
from src.pipeline.stage import Stage
from src.rewards.base import Sample
from src.rollout.asking import Asking
from src.rollout.engines.base import Engine
from src.rollout.generate import EngineUnderLimit, answer_questions
from src.rollout.judge import Judge


@dataclass(frozen=True)
class PeriodicValidation:
    """Every `evaluation.every` steps, the first `evaluation.every_problems` questions of the first of `evaluation.splits`
    in each language. After the last step nothing: stage evaluate follows."""

    stage: Stage
    policy: Any
    chat: Chat
    engine: Engine
    judge: Judge
    questions: Sequence[Question]

    @staticmethod
    def of(stage: Stage, policy: Any, chat: Chat, engine: Engine, judge: Judge) -> PeriodicValidation:
        """With its questions; none where `evaluation.every` is 0."""
        config = stage.config
        evaluation = stage.config.evaluation
        questions: list[Question] = []
        if evaluation.every:
            questions = sources.evaluation_questions(
                config.benchmark, config.world, evaluation.splits[0], evaluation.languages, evaluation.every_problems
            )
        return PeriodicValidation(stage, policy, chat, engine, judge, questions)

    def __call__(self, step: int) -> dict[str, float]:
        """`<split>/<metric>` after `step` steps; nothing when it is not due. Every rank must call this.

        The same questions meet the same randomness at every step and in every run with this seed.
        """
        config = self.stage.config
        ranks = self.stage.ranks
        every = config.evaluation.every
        split = config.evaluation.splits[0]
        if not every or step % every or step >= config.grpo.steps:
            return {}
        mine = ranks.shard(list(self.questions))
        generate = EngineUnderLimit(
            self.engine,
            config.evaluation.sampling(config.rollout),
            ranks.rank,
            f"the answers after step {step}",
            "raise rollout.timeout_s, or ask less with evaluation.every_problems",
            policy_weights(self.policy),
        )
        seeds = [
            derive_seed("between", config.evaluation.seed, config.seed, split, question.language, question.problem)
            for question in mine
        ]
        trajectories = answer_questions(generate, self.chat, self.judge, mine, seeds, 1, Asking(config.strategy))
        samples = ranks.gather([trajectory.sample for trajectory in trajectories])
        return {
            f"{split}/{name}": value for name, value in averages(samples, config.rollout.maximum_new_tokens).items()
        }


def averages(samples: Sequence[Sample], budget: int) -> dict[str, float]:
    """Accuracy, fidelity, right-and-in-language (shares), tokens and hypervolume; every language of the queries weighs the
    same. Completions have at most `budget` tokens."""
    rows = {
        code: [
            (sample.correct, sample.fidelity.in_language, sample.correct_in_language, sample.length or 0)
            for sample in samples
            if sample.query_language == code
        ]
        for code in sorted({sample.query_language for sample in samples})
    }
    means = [[sum(column) / len(values) for column in zip(*values, strict=True)] for values in rows.values()]
    accuracy, fidelity, both, tokens = (sum(column) / len(means) for column in zip(*means, strict=True))
    volume = normalised_hypervolume([(accuracy, fidelity, tokens)], budget)
    return dict(zip(MEASURED, (accuracy, fidelity, both, tokens, volume), strict=True))
