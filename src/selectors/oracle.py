"""A right answer wherever there is one: pass@k within a language, Acc@k over languages (2504.11833). A bound, no method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.selectors.base import Candidate, Chosen


@dataclass(frozen=True)
class Oracle:
    """The first right candidate, or else the first with an answer.

    >>> Oracle()([Candidate("en", "4", right=False), Candidate("fr", "5", right=True)]).answer
    '5'
    """

    score: str = ""

    def __call__(self, candidates: Sequence[Candidate]) -> Chosen:
        answered = [place for place, candidate in enumerate(candidates) if candidate.answer is not None]
        right = [place for place, candidate in enumerate(candidates) if candidate.right]
        for place in (*right, *answered):
            return Chosen(candidates[place].answer, place, (place,))
        return Chosen()
