"""What rewards may need beside grader and detector, as plain protocols: a backend is one class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

Value = TypeVar("Value", float, str)


class Pair(NamedTuple):
    """A text in `language`, and the text in `reference_language` that it is held against."""

    text: str
    reference: str
    language: str
    reference_language: str


class Passage(NamedTuple):
    """A text in the language `source` that is wanted in `target`."""

    text: str
    source: str
    target: str


class Answers(NamedTuple, Generic[Value]):
    """An answer for each thing that was asked, None where the service could not tell; and how many were known from earlier
    steps, so that nobody was asked."""

    values: list[Value | None]
    cached: int = 0


class Scorer(Protocol):
    """Gives each pair a number: a judge the share of the reference's results in the text, an embedder their cosine."""

    def __call__(self, pairs: Sequence[Pair], step: int) -> Answers[float]:
        """`step` is the step of training that asks: what is asked again for the same step is answered the same."""


class Translator(Protocol):
    """Gives each passage as text in its target language."""

    def __call__(self, passages: Sequence[Passage], step: int) -> Answers[str]:
        """See `Scorer`."""
