"""Tables of Pareto dominance: which method beats which in how many pairs of language and data set, and how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from src.analysis.dominance import Dominance
from src.analysis.statistics import Estimate
from src.common.tables import Table
from src.reporting.paired import signed
from src.reporting.tables import label


def counted(results: Mapping[tuple[str, str], Dominance]) -> Table:
    """(method, other) -> in how many pairs the method strictly dominates, and is dominated, with intervals."""
    lines = [
        (label(method), label(other), str(len(result.pairs)), _count(result.won), _count(result.lost))
        for (method, other), result in results.items()
    ]
    return Table(("method", "against", "pairs", "dominates", "is dominated"), lines)


def by_pair(result: Dominance, quality: str) -> Table:
    """A row for each pair: both points, the paired differences, the verdict, and the share of resamples that say so."""
    lines = []
    for pair in result.pairs:
        points = (f"{_share(x)} -> {_share(y)}" for x, y in zip(pair.other, pair.one, strict=True))
        lines.append(
            (
                pair.data_set,
                pair.language,
                *points,
                *map(signed, pair.differences),
                pair.verdict,
                f"{pair.sure:.2f}",
                f"{pair.sure_lost:.2f}",
            )
        )
    differences = (f"difference of {quality}", "difference of following")
    return Table(
        ("data set", "language", quality, "following", *differences, "verdict", "sure", "sure dominated"), lines
    )


def spreadsheet(results: Mapping[tuple[str, str], Dominance], quality: str) -> str:
    """All pairs of all comparisons as CSV, a line each."""
    head = ["method", "against", "data set", "language", "quality"]
    for name in ("quality", "following"):
        head += [name, f"{name} of the other", f"{name} difference", f"{name} low", f"{name} high"]
    rows: list[Sequence[str]] = []
    for (method, other), result in results.items():
        for pair in result.pairs:
            row = [method, other, pair.data_set, pair.language, quality]
            for ours, theirs, difference in zip(pair.one, pair.other, pair.differences, strict=True):
                numbers = (ours, theirs, difference.value, difference.low, difference.high)
                row += [f"{x:.4f}" if isfinite(x) else "" for x in numbers]
            rows.append([*row, pair.verdict, f"{pair.sure:.4f}", f"{pair.sure_lost:.4f}"])
    head[4] = "measure of quality"
    return Table([*head, "verdict", "sure", "sure dominated"], rows).csv()


def _count(value: Estimate) -> str:
    return f"{value.value:.0f} [{value.low:.0f}, {value.high:.0f}]"


def _share(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "-"
