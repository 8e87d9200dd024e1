"""What the majority of the samples answers (self-consistency, Wang et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from src.grading.classes import answer_class


def maj_at_k(answers: Sequence[str | None], right: Sequence[bool], language: str) -> float:
    """How right the answer is that most of the samples of one question give, in [0, 1].

    Answers (normalised; None: none was read, which is no vote) vote together when they are equal, or when their first
    reading as a number in `language` is: 0.5 and 1/2. Of several answers with most votes each is as likely to be taken:
    the value is the share of them that is right. An answer of which only some votes count as right (a percentage) is
    right by their share. Without a vote 0.
    """
    votes: dict[str | Fraction, list[bool]] = {}
    for answer, verdict in zip(answers, right, strict=True):
        if answer is not None:
            votes.setdefault(answer_class(answer, language), []).append(verdict)
    most = max(map(len, votes.values()), default=0)
    winners = [sum(verdicts) / most for verdicts in votes.values() if len(verdicts) == most]
    return sum(winners) / len(winners) if winners else 0.0
