"""How much the values on the way told of the end: what stopping early at each of them would have been worth."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Signal:
    """Of `trials` that went on to the end, at their `iteration`-th value on the way: Spearman's rank correlation with the
    final values (NaN where one of them does not vary), and the rank that the final best had then: 1 + how many were better."""

    iteration: int
    trials: int
    correlation: float
    rank_of_best: int


def signals(on_the_way: Sequence[Sequence[float]], final: Sequence[float], goal: str) -> list[Signal]:
    """One for each iteration that three trials or more came to."""
    from scipy.stats import spearmanr

    found = []
    for place in range(max(map(len, on_the_way), default=0)):
        there = [(own[place], end) for own, end in zip(on_the_way, final, strict=True) if len(own) > place]
        if len(there) < 3:
            break
        sign = -1.0 if goal == "maximize" else 1.0
        early, late = ([sign * value for value in column] for column in zip(*there, strict=True))
        then = early[late.index(min(late))]
        rank = 1 + sum(value < then for value in early)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that do not vary: NaN says so
            correlation = float(spearmanr(early, late).statistic)
        found.append(Signal(place + 1, len(there), correlation, rank))
    return found


def table(found: Sequence[Signal]) -> str:
    """As markdown."""
    lines = [
        "| value on the way | trials | rank correlation with the end | rank of the final best then |",
        "|---|---|---|---|",
    ]
    lines += [f"| {s.iteration} | {s.trials} | {s.correlation:.2f} | {s.rank_of_best} |" for s in found]
    return "\n".join(lines)
