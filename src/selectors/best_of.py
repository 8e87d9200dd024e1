"""The answer with the highest score: best-of-n, and across languages Best-of-L (2509.15811)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.selectors.base import Candidate, Chosen


@dataclass(frozen=True)
class BestOf:
    """Of equal scores the first; candidates without an answer or a score are passed over.

    >>> BestOf()([Candidate("en", "4", score=0.2), Candidate("fr", "5", score=0.9), Candidate("ja", "6")]).answer
    '5'
    """

    score: str = "logprob_mean"

    def __call__(self, candidates: Sequence[Candidate]) -> Chosen:
        scores = {
            place: candidate.score
            for place, candidate in enumerate(candidates)
            if candidate.answer is not None and candidate.score is not None
        }
        if not scores:
            return Chosen()
        best = max(scores, key=scores.__getitem__)
        return Chosen(candidates[best].answer, best, (best,))
