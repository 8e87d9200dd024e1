"""How the policy does on questions that it is not trained on, every few steps of GRPO: what ends a hopeless trial early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from src.analysis.pareto import normalised_hypervolume
from src.common.seeds import stream
from src.common.timeout import limit
from src.config.stages import MEASURED
from src.data import sources
from src.data.chat import Chat, decode
from src.data.records import Question
from src.models.load import policy_weights
from src.pipeline.stage import Stage
from src.rewards.base import Judged
from src.rollout.engines.base import Engine
from src.rollout.engines.build import sampling_of
from src.rollout.judge import Judge


@dataclass(frozen=True)
class Between:
    """Every `evaluation.every` steps, the first `evaluation.every_problems` questions of the first of `evaluation.splits`
    in each language. After the last step nothing: stage evaluate follows."""

    stage: Stage
    policy: Any
    chat: Chat
    engine: Engine
    judge: Judge
    questions: Sequence[Question]

    @staticmethod
    def of(stage: Stage, policy: Any, chat: Chat, engine: Engine, judge: Judge) -> Between:
        """With its questions; none where `evaluation.every` is 0."""
        config, wanted = stage.config, stage.config.evaluation
        questions = (
            sources.evaluation_questions(
                config.benchmark, config.world, wanted.splits[0], wanted.languages, wanted.every_problems
            )
            if wanted.every
            else []
        )
        return Between(stage, policy, chat, engine, judge, questions)

    def __call__(self, step: int) -> dict[str, float]:
        """`<split>/<metric>` after `step` steps; nothing when it is not due. Every rank must call this.

        The same questions meet the same randomness at every step and in every run with this seed.
        """
        config, ranks = self.stage.config, self.stage.ranks
        every, split = config.evaluation.every, config.evaluation.splits[0]
        if not every or step % every or step >= config.grpo.steps:
            return {}
        mine = ranks.share(list(self.questions))
        streams = [
            stream("between", config.evaluation.seed, config.seed, split, question.language, question.problem)
            for question in mine
        ]
        with limit(
            config.rollout.timeout_s, f"the answers after step {step} from engine {self.engine.name}",
            "raise rollout.timeout_s, or ask less with evaluation.every_problems", ranks.rank,
        ):  # fmt: skip
            self.engine.load(policy_weights(self.policy))
            prompts = [self.chat.prompt(question) for question in mine]
            groups = self.engine.generate(prompts, streams, 1, sampling_of(config.rollout))
        rollouts = [rollout for (rollout,) in groups]
        judged = self.judge(
            mine,
            [decode(self.chat.tokenizer, rollout.said) for rollout in rollouts],
            [len(rollout.tokens) for rollout in rollouts],
            [rollout.truncated for rollout in rollouts],
        )
        found = averages(ranks.gather(judged), config.rollout.maximum_new_tokens)
        return {f"{split}/{name}": value for name, value in found.items()}


def averages(judged: Sequence[Judged], budget: int) -> dict[str, float]:
    """Accuracy, fidelity, right-and-in-language (shares), tokens and hypervolume; every language of the queries weighs the
    same. Completions have at most `budget` tokens."""
    rows = {
        code: [
            (row.correct, row.fidelity.in_language, row.correct and row.fidelity.in_language, row.tokens or 0)
            for row in judged
            if row.query_language == code
        ]
        for code in sorted({row.query_language for row in judged})
    }
    means = [[sum(column) / len(own) for column in zip(*own, strict=True)] for own in rows.values()]
    accuracy, fidelity, both, tokens = (sum(column) / len(means) for column in zip(*means, strict=True))
    volume = normalised_hypervolume([(accuracy, fidelity, tokens)], budget)
    return dict(zip(MEASURED, (accuracy, fidelity, both, tokens, volume), strict=True))
