"""The answer in the own language, unless a detector doubts it: Selective Translation (2510.27269)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from src.selectors import ballot
from src.selectors.base import Candidate, Chosen


@dataclass(frozen=True)
class Threshold:
    """The language of the first candidate is the query's, the others are those of the intervention. Where a score of these is at
    least `threshold`, the majority of the others is taken, else that of the query's language. A score that is not known
    changes nothing.

    >>> Threshold(0.5)([Candidate("sw", "4"), Candidate("en", "5", score=0.7)]).answer
    '5'
    """

    threshold: float = 0.5
    tie: str = "first"
    score: str = "doubt"

    def __call__(self, candidates: Sequence[Candidate]) -> Chosen:
        own = [candidate.language == candidates[0].language for candidate in candidates]
        scores = [candidate.score for candidate, base in zip(candidates, own, strict=True) if not base]
        doubted = any(score is not None and score >= self.threshold for score in scores)
        kept = [
            candidate if base != doubted else replace(candidate, answer=None)
            for candidate, base in zip(candidates, own, strict=True)
        ]
        return ballot.count(kept, [1.0] * len(kept), self.tie)

    def violations(self) -> list[str]:
        return ballot.violations("selector", self.tie, "class")
