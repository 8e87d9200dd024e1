"""What a selector sees and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Candidate:
    """One answer to a problem. `answer` is normalised, None where none was read. `language` is the one it was asked for in,
    and how numbers in it are written. `score` is what a scorer says (None: it could not tell); `right` the grader's verdict,
    which only the oracle may look at."""

    language: str
    answer: str | None
    sample: int = 0
    score: float | None = None
    right: bool | None = None


@dataclass(frozen=True)
class Chosen:
    """What was selected: the answer, None where there is none; the place of the candidate that stands for it, and of all
    candidates that say the same."""

    answer: str | None = None
    index: int | None = None
    members: tuple[int, ...] = ()


class Selector(Protocol):
    """Chooses one answer. `score` names the score that it reads: a column of the records, `doubt`, or "" for none."""

    @property
    def score(self) -> str: ...

    def __call__(self, candidates: Sequence[Candidate]) -> Chosen:
        """Of the candidates of one problem, those in the language of the query first."""
