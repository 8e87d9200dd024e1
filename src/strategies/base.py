"""What a strategy gives: turns of a conversation, and the beginning of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from src.data.chat import question_text
from src.data.records import Question
from src.language.phrases import PHRASES


@dataclass(frozen=True)
class Ask:
    """What is asked: `turns` of the user and the assistant in turn, the user's first and last; `prefill` stands where the
    thinking begins, as if the model had written it. It is part of the prompt: nobody judges it, and nobody learns it."""

    turns: tuple[str, ...]
    prefill: str = ""


class Strategy(Protocol):
    """Puts a question to the model. `rounds` is how often it is asked; training needs one. `shared`: every sample of a question
    has the same prompt."""

    @property
    def rounds(self) -> int: ...

    @property
    def shared(self) -> bool: ...

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        """The next round for a sample of a question. `instruction` is `data.instruction`; `replies` are the completions of the
        rounds before; all that is drawn at random comes from `seed` and `sample`."""


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
