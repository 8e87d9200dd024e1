"""How much the values on the way told of the end: what stopping early at each of them would have been worth."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from src.common.tables import Table


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

    results = []
    for place in range(max(map(len, on_the_way), default=0)):
        pairs = [(values[place], end) for values, end in zip(on_the_way, final, strict=True) if len(values) > place]
        if len(pairs) < 3:
            break
        sign = -1.0 if goal == "maximize" else 1.0
        early, late = ([sign * value for value in column] for column in zip(*pairs, strict=True))
        then = early[late.index(min(late))]
        rank = 1 + sum(value < then for value in early)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that do not vary: NaN says so
            correlation = float(spearmanr(early, late).statistic)
        results.append(Signal(place + 1, len(pairs), correlation, rank))
    return results


def table(results: Sequence[Signal]) -> Table:
    """A row for each signal."""
    head = ("value on the way", "trials", "rank correlation with the end", "rank of the final best then")
    rows = [(str(s.iteration), str(s.trials), f"{s.correlation:.2f}", str(s.rank_of_best)) for s in results]
    return Table(head, rows)
