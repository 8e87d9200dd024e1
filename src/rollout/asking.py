"""A strategy carried out by an engine: its rounds, and the prompts of its conversations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from src.common.seeds import derive_seed
from src.data.chat import Chat, decode
from src.data.records import Question
from src.rollout.engines.base import Rollout
from src.rollout.generate import Completion, Generate, Prompt
from src.strategies.base import Reply, Strategy, asks_of
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
                Prompt(chat.conversation(ask.turns, ask.prefill), seed)
                for question, seed in zip(questions, seeds, strict=True)
                if (ask := self.strategy(question, chat.instruction, 0, seed, ())) is not None
            ]
            groups = generate(prompts, samples)
            return [
                [Completion(prompt, rollout) for rollout in group]
                for prompt, group in zip(prompts, groups, strict=True)
            ]
        rows = [(q, sample, seed) for q, seed in zip(questions, seeds, strict=True) for sample in range(samples)]
        replies: list[list[str]] = [[] for _ in rows]
        last: dict[int, Completion] = {}
        open_rows = list(range(len(rows)))
        for number in range(self.strategy.rounds):
            asks: dict[int, Prompt] = {}
            for place in open_rows:
                question, sample, seed = rows[place]
                ask = self.strategy(question, chat.instruction, sample, seed, replies[place])
                if ask is not None:
                    tokens = chat.conversation(ask.turns, ask.prefill)
                    asks[place] = Prompt(tokens, derive_seed("sample", seed, sample, number))
            open_rows = list(asks)
            groups = generate(list(asks.values()), 1)
            for (place, prompt), (rollout,) in zip(asks.items(), groups, strict=True):
                last[place] = Completion(prompt, rollout)
                replies[place].append(_reply(chat, rollout))
        done = [last[place] for place in range(len(rows))]
        return [done[start : start + samples] for start in range(0, len(done), samples)]


def _reply(chat: Chat, rollout: Rollout) -> Reply:
    probability = math.exp(float(rollout.logprobs.double().mean())) if len(rollout.logprobs) else None
    return Reply(decode(chat.tokenizer, rollout.content), probability)


def prompts_of(strategy: Strategy, chat: Chat, question: Question) -> list[list[int]]:
    """The tokens of every prompt that a question may have; of later rounds without what is said in earlier ones."""
    asks = asks_of(strategy, question, chat.instruction)
    return [chat.conversation(ask.turns, ask.prefill) for ask in asks]


def asked_by(config: _Asks) -> tuple[str, ...]:
    """The setting that answers depend on beside those of their stage; none without a strategy, as it was before there were
    any."""
    return () if config.strategy == Plain() else ("strategy",)
