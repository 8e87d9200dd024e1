"""Paired differences of two methods by data set, language and metric: as a sentence, a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from src.analysis.statistics import Estimate
from src.common.tables import Table
from src.reporting import figures
from src.reporting.paired import signed


@dataclass(frozen=True)
class Difference:
    """Method minus another, of one metric on one data set in one language."""

    data_set: str
    language: str
    metric: str
    one: float
    other: float
    difference: Estimate

    @property
    def name(self) -> str:
        return f"{self.data_set} {self.language}"

    def texts(self) -> tuple[str, ...]:
        """The cells of a table: data set, language, metric, the other's value, the method's, the difference."""
        values = (f"{value:.3f}" if isfinite(value) else "-" for value in (self.other, self.one))
        return (self.data_set, self.language, self.metric, *values, signed(self.difference))


def sentence(subject: str, compared: Sequence[Difference]) -> str:
    """What the differences show and what they do not, metric by metric: an interval that covers zero shows none.

    >>> up = Difference("test", "ja", "accuracy", 0.8, 0.5, Estimate(0.3, 0.1, 0.5))
    >>> unsure = Difference("test", "fr", "accuracy", 0.6, 0.5, Estimate(0.1, -0.1, 0.3))
    >>> sentence("SFT against Base", [up, unsure])
    'SFT against Base: accuracy is higher in 1 (test ja), does not show a difference in 1 (test fr).'
    """
    metrics = dict.fromkeys(row.metric for row in compared)
    clauses = [_clause(metric, [row for row in compared if row.metric == metric]) for metric in metrics]
    return f"{subject}: {'; '.join(clauses) or 'there is nothing to compare'}."


def difference_table(compared: Sequence[Difference], one: str, other: str) -> Table:
    """A row for each difference: both values, and the paired difference with its interval."""
    head = ("data set", "language", "metric", other, one, f"{one} - {other}")
    return Table(head, [row.texts() for row in compared])


def draw_differences(compared: Mapping[str, Sequence[Difference]], path: Path) -> None:
    """A row of panels for each comparison, a panel for each metric: differences with their intervals, pair below pair, and
    the line of zero."""
    metrics = list(dict.fromkeys(row.metric for rows in compared.values() for row in rows))
    most = max(len({row.name for row in rows}) for rows in compared.values())
    height = (1.0 + 0.26 * most) * len(compared)
    figure, axes = figures.canvas(len(compared), len(metrics), width=1.5 + 3.0 * len(metrics), height=height)
    panels = [(title, rows, metric) for title, rows in compared.items() for metric in metrics]
    for number, (axis, (title, rows, metric)) in enumerate(zip(axes, panels, strict=True)):
        shown = [row for row in rows if row.metric == metric]
        for place, row in enumerate(shown):
            value = row.difference
            if isfinite(value.value):
                axis.plot([value.low, value.high], [place, place], color="#0072B2", linewidth=1.4)
                axis.plot([value.value], [place], "o", color="#0072B2", markersize=5)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set(yticks=range(len(shown)), ylim=(len(shown) - 0.5, -0.5))
        axis.set_yticklabels(["" if number % len(metrics) else row.name for row in shown])
        axis.set_title(f"{metric}: {title}", fontsize=9)
        axis.grid(alpha=0.25)
    figures.save(figure, path, vector=False)


def _clause(metric: str, compared: Sequence[Difference]) -> str:
    kinds: dict[str, list[str]] = {
        "is higher in": [],
        "is lower in": [],
        "does not show a difference in": [],
        "does not apply in": [],
    }
    for row in compared:
        kinds[_kind(row.difference)].append(row.name)
    texts = [
        f"{words} all {len(names)}" if len(names) == len(compared) else f"{words} {len(names)} ({', '.join(names)})"
        for words, names in kinds.items()
        if names
    ]
    return f"{metric} {', '.join(texts)}"


def _kind(difference: Estimate) -> str:
    if not isfinite(difference.value):
        return "does not apply in"
    if difference.low > 0:
        return "is higher in"
    return "is lower in" if difference.high < 0 else "does not show a difference in"
