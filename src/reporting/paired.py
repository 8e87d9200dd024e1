"""The paired difference of two methods, metric by metric in each domain of languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from src.analysis.statistics import Cells, Estimate, estimate, macro, p_value, paired, resampled

HEAD = ("domain", "metric", "A", "B", "A - B", "95 % interval", "p")


@dataclass(frozen=True)
class Line:
    """One metric of both methods in one domain, and A minus B."""

    domain: str
    metric: str
    one: float
    other: float
    difference: Estimate
    p: float

    def texts(self) -> tuple[str, ...]:
        """The cells of a table."""
        digits = 1 if self.metric.startswith("tokens") else 3
        d = self.difference
        sides = (f"{x:.{digits}f}" if isfinite(x) else "-" for x in (self.one, self.other))
        if not isfinite(d.value):
            return self.domain, self.metric, *sides, "-", "-", ""
        interval = f"[{d.low:+.{digits}f}, {d.high:+.{digits}f}]"
        p = f"{self.p:.4f}" if isfinite(self.p) else ""
        return self.domain, self.metric, *sides, f"{d.value:+.{digits}f}", interval, p


def lines(one: Cells, other: Cells, metrics: Sequence[str], domains: Mapping[str, Sequence[str]]) -> list[Line]:
    """A line for every metric in every domain that has a language of both, on the seeds, problems and languages of both.

    Raises:
        RecordsError: they cannot be paired.
    """
    one, other = paired(one, other)
    over = resampled(one)
    made = []
    for domain, languages in domains.items():
        for metric in metrics if set(languages) & set(one.languages) else ():
            a = macro(one, metric, languages, over)
            b = macro(other, metric, languages, over)
            p = p_value(one, other, metric, languages)
            made.append(Line(domain, metric, float(a[0]), float(b[0]), estimate(a - b), p))
    return made


def signed(value: Estimate) -> str:
    """A difference with its interval; a dash where there is none."""
    if not isfinite(value.value):
        return "-"
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"
