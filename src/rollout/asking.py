"""A strategy carried out by an engine: its rounds, and the prompts of its conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from src.common.seeds import derive_seed
from src.data.chat import Chat, decode
from src.data.records import Question
from src.rollout.generate import Completion, Generate, Prompt
from src.strategies.base import Strategy
from src.strategies.plain import Plain


class _Asks(Protocol):
    """A configuration, as far as it says how questions are asked."""

    @property
    def strategy(self) -> Strategy: ...


@dataclass(frozen=True)
class Asking:
    """What `answer_questions` takes for a strategy: completions are those of the last round."""

    strategy: Strategy

    def __call__(
        self, generate: Generate, chat: Chat, questions: Sequence[Question], seeds: Sequence[int], samples: int
    ) -> list[list[Completion]]:
        if self.strategy.shared and self.strategy.rounds == 1:
            prompts = [
                Prompt(self._tokens(chat, question, 0, seed, ()), seed)
                for question, seed in zip(questions, seeds, strict=True)
            ]
            groups = generate(prompts, samples)
            return [
                [Completion(prompt, rollout) for rollout in group]
                for prompt, group in zip(prompts, groups, strict=True)
            ]
        rows = [(q, sample, seed) for q, seed in zip(questions, seeds, strict=True) for sample in range(samples)]
        replies: list[list[str]] = [[] for _ in rows]
        last: list[Completion] = []
        for number in range(self.strategy.rounds):
            prompts = [
                Prompt(self._tokens(chat, question, sample, seed, said), derive_seed("sample", seed, sample, number))
                for (question, sample, seed), said in zip(rows, replies, strict=True)
            ]
            rollouts = [group[0] for group in generate(prompts, 1)]
            last = [Completion(prompt, rollout) for prompt, rollout in zip(prompts, rollouts, strict=True)]
            replies = [
                [*said, decode(chat.tokenizer, rollout.content)]
                for said, rollout in zip(replies, rollouts, strict=True)
            ]
        return [last[start : start + samples] for start in range(0, len(last), samples)]

    def _tokens(self, chat: Chat, question: Question, sample: int, seed: int, replies: Sequence[str]) -> list[int]:
        ask = self.strategy(question, chat.instruction, sample, seed, replies)
        return chat.conversation(ask.turns, ask.prefill)


def asked_by(config: _Asks) -> tuple[str, ...]:
    """The setting that answers depend on beside those of their stage; none without a strategy, as it was before there were
    any."""
    return () if config.strategy == Plain() else ("strategy",)
