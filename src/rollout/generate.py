"""Answer questions: prompts, seeds, a limit of time, an engine, decoding, verdicts. The one way in training, periodic
validation, difficulty filter and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from torch import Tensor

from src.common.errors import UserError
from src.common.timeout import limit
from src.data.chat import Chat, decode
from src.data.records import Question
from src.rewards.base import Sample
from src.rollout.engines.base import Engine, Rollout
from src.rollout.engines.build import sampling_of
from src.rollout.judge import Judge
from src.rollout.spec import RolloutSpec


class BrokenPolicy(UserError):
    """A model whose probabilities are no numbers: nothing can be sampled from it."""


class TooLong(UserError):
    """A prompt and the tokens it may be answered with do not fit into what a model has positions for."""


class Prompt(NamedTuple):
    """What an engine is asked: prompt tokens, and the seed of all randomness of their rollouts."""

    tokens: list[int]
    seed: int


Generate = Callable[[Sequence[Prompt], int], list[list[Rollout]]]  # so many rollouts of each prompt


class Completion(NamedTuple):
    """A rollout with the prompt that it followed."""

    prompt: Prompt
    rollout: Rollout


class Strategy(Protocol):
    """How questions are put to a model: in one prompt or several, in one round or in rounds that see earlier answers."""

    def __call__(
        self, generate: Generate, chat: Chat, questions: Sequence[Question], seeds: Sequence[int], samples: int
    ) -> list[list[Completion]]:
        """`samples` completions of each question; all randomness of question i comes from `seeds[i]`. In training ranks
        hand over weights together, so every rank must call `generate` equally often, with or without prompts."""


@dataclass(frozen=True)
class Mismatch:
    """|log sampler - log trainer| of one rollout of `tokens` tokens, in nats: their sum, and the largest; and the sum of
    -log sampler, which estimates the entropy of the policy."""

    total: float
    largest: float
    tokens: int
    surprisal: float = 0.0


@dataclass(frozen=True)
class Trajectory:
    """A judged completion of a question, with what the engine was asked and gave. `mismatch` is how far sampler and
    trainer are apart, None where the trainer was not asked (`src.training.mismatch`). `greedy` is the judged greedy
    completion of its prompt, where one is compared with it."""

    question: Question
    prompt: list[int]
    rollout: Rollout
    sample: Sample
    mismatch: Mismatch | None = None
    greedy: Sample | None = None

    @property
    def group(self) -> int:
        """The number of its prompt within the step."""
        return self.sample.group


def single_prompt(
    generate: Generate, chat: Chat, questions: Sequence[Question], seeds: Sequence[int], samples: int
) -> list[list[Completion]]:
    """The strategy of training and evaluation as published: each question in the chat template, one round."""
    prompts = [Prompt(chat.prompt(question), seed) for question, seed in zip(questions, seeds, strict=True)]
    groups = generate(prompts, samples)
    return [[Completion(prompt, rollout) for rollout in group] for prompt, group in zip(prompts, groups, strict=True)]


def answer_questions(
    generate: Generate,
    chat: Chat,
    judge: Judge,
    questions: Sequence[Question],
    seeds: Sequence[int],
    samples: int,
    strategy: Strategy = single_prompt,
    groups: Sequence[int] | None = None,
) -> list[Trajectory]:
    """`samples` judged completions of each question, question after question.

    Args:
        groups: the number of each question within a step; by default its place.
    """
    answers = strategy(generate, chat, questions, seeds, samples)
    rows = [
        (question, number, completion)
        for question, number, completions in zip(questions, groups or range(len(questions)), answers, strict=True)
        for completion in completions
    ]
    rollouts = [completion.rollout for _, _, completion in rows]
    verdicts = judge(
        [question for question, _, _ in rows],
        [decode(chat.tokenizer, rollout.content) for rollout in rollouts],
        [len(rollout.tokens) for rollout in rollouts],
        [rollout.truncated for rollout in rollouts],
    )
    return [
        Trajectory(
            question=question,
            prompt=completion.prompt.tokens,
            rollout=rollout,
            sample=replace(verdict, group=number, tokens=rollout.tokens, logprobs=rollout.logprobs),
        )
        for (question, number, completion), rollout, verdict in zip(rows, rollouts, verdicts, strict=True)
    ]


@dataclass(frozen=True)
class EngineUnderLimit:
    """`Generate` by an engine: the process ends with a message when it takes longer than `rollout.timeout_s`.

    The message is that rank `rank` has waited for `purpose`; `fix` is what to do then. `weights` are handed to the engine
    first, where there are some.
    """

    engine: Engine
    spec: RolloutSpec
    rank: int
    purpose: str
    fix: str
    weights: Mapping[str, Tensor] | None = None

    def __call__(self, prompts: Sequence[Prompt], samples: int) -> list[list[Rollout]]:
        _check_room(prompts, self.spec.maximum_new_tokens, getattr(self.engine, "positions", None))
        with self._limit():
            self._load()
            tokens = [prompt.tokens for prompt in prompts]
            seeds = [prompt.seed for prompt in prompts]
            groups = self.engine.generate(tokens, seeds, samples, sampling_of(self.spec))
        _check_numbers(groups, self.engine.name)
        return groups

    def load(self) -> None:
        """Hand over the weights and ask nothing: ranks hand them over together, whatever each has to ask."""
        with self._limit():
            self._load()

    def _load(self) -> None:
        if self.weights is not None:
            self.engine.load(self.weights)

    def _limit(self) -> AbstractContextManager[None]:
        purpose = f"{self.purpose} from engine {self.engine.name}"
        return limit(self.spec.timeout_s, purpose, self.fix, self.rank)


def _check_room(prompts: Sequence[Prompt], budget: int, positions: int | None) -> None:
    """Raise `TooLong` where the longest prompt and `budget` tokens are more than `positions` (None: as many as there are)."""
    longest = max((len(prompt.tokens) for prompt in prompts), default=0)
    if positions is not None and longest + budget > positions:
        raise TooLong(
            f"a prompt of {longest} tokens and rollout.maximum_new_tokens={budget} must fit into the {positions} positions of the "
            f"model (max_position_embeddings in its config.json). Use rollout.maximum_new_tokens={max(1, positions - longest)} or "
            "less, leave long prompts out with grpo.maximum_prompt_tokens, or take a model with a longer context"
        )


def _check_numbers(groups: Sequence[Sequence[Rollout]], engine: str) -> None:
    """Raise `BrokenPolicy` where a log-probability is NaN or infinite: its token was not sampled from anything."""
    rollouts = [rollout for group in groups for rollout in group]
    broken = sum(not bool(rollout.logprobs.isfinite().all()) for rollout in rollouts)
    if broken:
        raise BrokenPolicy(
            f"the model must give probabilities; in {broken} of {len(rollouts)} rollouts of engine {engine} some are NaN or "
            "infinite. Its weights are damaged, or its logits overflow: look at the training that made it, or try "
            "model.dtype=float32"
        )
