"""The majority of equal answers: self-consistency within a language; across languages CLSP (2310.14799), CLC (2504.01857)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.selectors import ballot
from src.selectors.base import Candidate, Chosen


@dataclass(frozen=True)
class Vote:
    """`tie` and `key` are explained at `ballot.count`.

    >>> Vote()([Candidate("en", "1/2"), Candidate("de", "3"), Candidate("de", "0,5")]).answer
    '1/2'
    """

    tie: str = "first"
    key: str = "class"
    score: str = ""

    def __call__(self, candidates: Sequence[Candidate]) -> Chosen:
        return ballot.count(candidates, [1.0] * len(candidates), self.tie, self.key)

    def violations(self) -> list[str]:
        return ballot.violations("selector", self.tie, self.key)
