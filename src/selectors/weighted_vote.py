"""Votes that weigh by how sure the model was, and by their language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, isfinite

from src.selectors import ballot
from src.selectors.base import Candidate, Chosen


@dataclass(frozen=True)
class WeightedVote:
    """A vote weighs exp(score), of a mean log-probability the probability of a token, times `languages` of its language (1
    where it has none). Without a score it does not vote; with `score` "" all scores are 0.

    >>> vote = WeightedVote(score="")
    >>> vote([Candidate("en", "3", score=0.0), Candidate("fr", "4", score=-2.0), Candidate("ja", "4", score=-2.0)]).answer
    '3'
    """

    languages: dict[str, float] = field(default_factory=dict)
    tie: str = "first"
    score: str = "logprob_mean"

    def __call__(self, candidates: Sequence[Candidate]) -> Chosen:
        weights = [
            0.0 if candidate.score is None else exp(candidate.score) * self.languages.get(candidate.language, 1.0)
            for candidate in candidates
        ]
        return ballot.count(candidates, weights, self.tie)

    def violations(self) -> list[str]:
        return ballot.violations("selector", self.tie, "class") + [
            f"selector.languages must be finite and 0 or more; got {weight} for {code}"
            for code, weight in self.languages.items()
            if not (isfinite(weight) and weight >= 0)
        ]
