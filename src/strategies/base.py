"""What a strategy gives: turns of a conversation, and the beginning of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from src.data.chat import question_text
from src.data.records import Question
from src.language.phrases import PHRASES
from src.language.trace import split_trace


@dataclass(frozen=True)
class Ask:
    """What is asked: `turns` of the user and the assistant in turn, the user's first and last; `prefill` stands where the
    thinking begins, as if the model had written it. It is part of the prompt: nobody judges it, and nobody learns it."""

    turns: tuple[str, ...]
    prefill: str = ""


class Reply(str):
    """A completion as text, and how sure the model was of it: `probability`, the geometric mean of those of its tokens (None: not
    known)."""

    probability: float | None

    def __new__(cls, text: str, probability: float | None = None) -> Reply:
        made = super().__new__(cls, text)
        made.probability = probability
        return made


SAMPLES = (
    128  # looked at of a strategy that asks samples differently: of 18 languages drawn at random all but surely each
)


def asks_of(strategy: Strategy, question: Question, instruction: str) -> list[Ask]:
    """All that a strategy may ask about a question, each once; of later rounds what comes after empty replies."""
    samples = 1 if strategy.shared else SAMPLES
    asks = {
        strategy(question, instruction, sample, 0, [""] * number): None
        for number in range(strategy.rounds)
        for sample in range(samples)
    }
    return [ask for ask in asks if ask is not None]


class Strategy(Protocol):
    """Puts a question to the model. `rounds` is how often it is asked; training needs one. `shared`: every sample of a question
    has the same prompt."""

    @property
    def rounds(self) -> int: ...

    @property
    def shared(self) -> bool: ...

    def __call__(
        self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]
    ) -> Ask | None:
        """The next round for a sample of a question; None: the last completion stands, and no more is asked. `instruction` is
        `data.instruction`; `replies` are the completions of the rounds before (`Reply`); all that is drawn at random comes from
        `seed` and `sample`."""


def translation_in(reply: str, thinks: bool) -> str:
    """What a model wrote that was asked for a translation; empty where it did not come to it. `thinks`: a trace is before it."""
    split = split_trace(reply) if thinks else None
    return (split.answer if split is not None and split.closed else "" if thinks else reply).strip()


def message(question: Question, instruction: str, line: str = "") -> str:
    """The user's message as `instruction` has it, with one more line before the question."""
    text = question_text(question, instruction)
    if not line:
        return text
    first, break_, rest = text.partition("\n\n") if instruction != "none" else ("", "", text)
    return f"{first}\n{line}{break_}{rest}" if first else f"{line}\n\n{rest}"


def unknown(name: str, codes: list[str]) -> list[str]:
    """A sentence for each language without phrases, and one for none at all."""
    if not codes:
        return [f"strategy.{name} must name at least one language; got an empty list"]
    return [
        f"strategy.{name} must be among {', '.join(PHRASES)}; got {code!r}" for code in codes if code not in PHRASES
    ]
