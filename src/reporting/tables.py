"""The result tables."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from src.analysis.domains import DOMAINS
from src.analysis.pareto import front, normalised_hypervolume
from src.analysis.published import PUBLISHED, published
from src.analysis.statistics import (
    AT_K,
    DETAILS,
    METRICS,
    Cells,
    Estimate,
    estimate,
    known,
    macro,
    p_text,
    resampled,
)
from src.common.errors import UserError, did_you_mean
from src.common.tables import Cell, Table
from src.language.table import LANGUAGES
from src.reporting import paired
from src.reporting.paired import signed

LABELS = {
    "base": "base",
    "sft": "SFT",
    "grpo": "GRPO",
    "additive": "additive",
    "adamame_grpo": "AdaMame-GRPO",
    "adamame_mean": "AdaMame, mean",
}


@dataclass(frozen=True)
class Row:
    """All metrics of one method on one split and domain."""

    method: str
    split: str
    domain: str
    values: dict[str, Estimate]


def label(method: str) -> str:
    """How a method is called in tables and pictures."""
    return LABELS.get(method, method)


def slug(method: str) -> str:
    """The name of a method as part of a file's name."""
    return "-".join("".join(c if c.isalnum() else " " for c in method.lower()).split())


Domains = Mapping[str, Sequence[str]]  # domain -> its languages


def summary(data: dict[tuple[str, str], Cells], domains: Domains) -> list[Row]:
    """Rows for every (method, split), each domain that has languages, and each language by itself."""
    rows = []
    for (method, split), cells in data.items():
        over = resampled(cells)
        for domain, languages in ({**domains, **{code: (code,) for code in cells.languages}}).items():
            if any(code in cells.languages for code in languages):
                values = {metric: estimate(macro(cells, metric, languages, over)) for metric in known(cells)}
                rows.append(Row(method, split, domain, values))
    return rows


def cell(metric: str, value: Estimate) -> str:
    """A value with its interval, in the digits its unit deserves; a dash where there is none."""
    return value.text(1 if metric.startswith("tokens") else 3) if isfinite(value.value) else "-"


def results(rows: Sequence[Row], split: str, metrics: Sequence[str] = tuple(METRICS), languages: bool = False) -> Table:
    """The table of one split, a row for each domain, or for each language."""
    lines = []
    chosen = [row for row in rows if row.split == split and (row.domain in DOMAINS) != languages]
    order = list(dict.fromkeys(row.domain for row in chosen))
    for row in sorted(chosen, key=lambda row: order.index(row.domain)):
        lines.append((row.domain, label(row.method), *(_known_cell(metric, row) for metric in metrics)))
    return Table(("domain", "method", *metrics), lines)


def _known_cell(metric: str, row: Row) -> str:
    """A dash where the records of a method cannot tell the metric."""
    return cell(metric, row.values[metric]) if metric in row.values else "-"


def details(rows: Sequence[Row], split: str) -> Table:
    """The second table of one split: pass@k, in language too, maj@k, and what stands behind the numbers of the first."""
    passes = dict.fromkeys(name for row in rows if row.split == split for name in row.values if name.startswith(AT_K))
    metrics = [name for name in DETAILS if any(name in row.values for row in rows)]
    return results(rows, split, [*passes, *metrics])


def as_published(records: dict[str, dict[int, Any]], split: str, domains: Domains) -> Table | None:
    """The metrics as published with AdaMame, mean over seeds; None when the records do not hold them."""
    lines = []
    for domain, languages in domains.items():
        for method, frames in records.items():
            chosen = [frame[frame["split"] == split] for frame in frames.values()]
            if any("published_correct" not in frame for frame in chosen):
                return None
            seeds = [values for frame in chosen if (values := published(frame, languages)) is not None]
            if seeds:
                means = (
                    f"{sum(values[name] for values in seeds) / len(seeds):.3f}" if name in seeds[0] else "-"
                    for name in PUBLISHED
                )
                lines.append((domain, label(method), *means))
    return Table(("domain", "method", *PUBLISHED), lines) if lines else None


def fronts(rows: Sequence[Row], split: str, budget: float) -> Table:
    """Which methods no other beats in (accuracy, fidelity, -tokens), and the hypervolume of each and of all."""
    lines: list[Sequence[Cell]] = []
    for domain in DOMAINS:
        chosen = [row for row in rows if (row.split, row.domain) == (split, domain)]
        points = [
            (row.values["accuracy"].value, row.values["fidelity"].value, row.values["tokens"].value) for row in chosen
        ]
        if not points or not all(isfinite(t) for *_, t in points):
            continue
        edge = front([(a, f, -t) for a, f, t in points])
        for place, (row, point) in enumerate(zip(chosen, points, strict=True)):
            volume = normalised_hypervolume([point], budget)
            lines.append((domain, label(row.method), "yes" if place in edge else "", f"{volume:.3f}"))
        if len(points) > 1:
            lines.append((domain, "all together", None, f"{normalised_hypervolume(points, budget):.3f}"))
    return Table(("domain", "method", "on the front", "hypervolume"), lines)


def terminal(rows: Sequence[Row], splits: Sequence[str]) -> str:
    """The tables of all splits as plain text, interval under value."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    buffer = io.StringIO()
    console = Console(width=112, file=buffer, color_system=None, record=False)
    for split in splits:
        table = RichTable(title=f"{split} (value over its 95 % interval)", box=box.SIMPLE, padding=(0, 1, 0, 0))
        for name in ("domain", "method", *METRICS):
            widest = max(map(len, name.split()))
            table.add_column(name, no_wrap=name in ("domain", "method"), min_width=max(9, widest))
        for domain in DOMAINS:
            for row in (row for row in rows if (row.split, row.domain) == (split, domain)):
                cells = [_stacked(metric, row.values[metric]) for metric in METRICS]
                table.add_row(domain, label(row.method), *cells)
            table.add_section()
        console.print(table)
    return buffer.getvalue()


def _stacked(metric: str, value: Estimate) -> str:
    """Value over interval, narrow enough for a terminal."""
    if not isfinite(value.value):
        return "-"
    digits = (1, 1) if metric == "tokens" else (3, 2)
    return f"{value.value:.{digits[0]}f}\n{value.low:.{digits[1]}f}-{value.high:.{digits[1]}f}"


def compared(data: dict[tuple[str, str], Cells], method: str, split: str, domains: Domains) -> Table:
    """Paired differences of `method` minus every other method, with intervals and p values."""
    metrics = ("accuracy", "fidelity", "right and in language")
    shown: dict[str, list[tuple[str, ...]]] = {domain: [] for domain in domains}
    for (other, where), cells in data.items():
        if where != split or other == method:
            continue
        lines = paired.lines(data[method, split], cells, metrics, domains)
        for domain in dict.fromkeys(line.domain for line in lines):
            texts = (f"{signed(line.difference)} {p_text(line.p)}" for line in lines if line.domain == domain)
            shown[domain].append((domain, label(other), *texts))
    lines_of = [line for rows in shown.values() for line in rows]
    return Table(("domain", f"{label(method)} minus", *metrics), lines_of)


def chosen(tried: Sequence[dict[str, Any]]) -> Table:
    """What every value of a setting came to where it was chosen, the choice marked."""
    lines = []
    for row in tried:
        score = f"{row['right_and_in_language']:.3f}"
        mark = "yes" if row["chosen"] else ""
        lines.append((label(row["arm"]), str(row["value"]), str(row["seeds"]), score, mark))
    return Table(("method", "value", "seeds", "right and in language, dev", "chosen"), lines)


def beside_expected(rows: Sequence[Row], expected: Path) -> Table:
    """Ours beside what `expected.csv` says (split, domain, method, metric, value, tolerance); unknown stays empty.

    Raises:
        UserError: a malformed line of the file; names file, line and field.
    """
    lines = []
    with expected.open(newline="", encoding="utf-8") as handle:
        for number, line in enumerate(csv.DictReader(handle), start=2):
            _check_expected(line, f"{expected}, line {number}")
            ours = next(
                (
                    r.values.get(line["metric"])
                    for r in rows
                    if (r.split, r.domain, r.method) == (line["split"], line["domain"], line["method"])
                ),
                None,
            )
            verdict = ""
            if ours is not None and line["value"] and line["tolerance"]:
                verdict = "yes" if abs(ours.value - float(line["value"])) <= float(line["tolerance"]) else "no"
            shown = cell(line["metric"], ours) if ours is not None else ""
            wanted = " +- ".join(part for part in (line["value"], line["tolerance"]) if part) if line["value"] else ""
            where = (line["split"], line["domain"], label(line["method"]), line["metric"])
            lines.append((*where, shown, wanted, verdict))
    return Table(("split", "domain", "method", "metric", "ours", "expected", "within tolerance"), lines)


def _check_expected(line: dict[str, str], where: str) -> None:
    missing = [name for name in ("split", "domain", "method", "metric", "value", "tolerance") if line.get(name) is None]
    if missing:
        raise UserError(f"{where}: field {missing[0]!r} is missing; leave an unknown value empty, but keep its comma")
    for name, allowed in (("domain", (*DOMAINS, *LANGUAGES)), ("metric", (*METRICS, *DETAILS))):
        at_k = name == "metric" and re.fullmatch(rf"(?:{'|'.join(AT_K)})[1-9]\d*", line[name])
        if line[name] not in allowed and not at_k:
            hint = did_you_mean(line[name], allowed)
            raise UserError(f"{where}: {name} {line[name]!r} must be one of {', '.join(allowed)}.{hint}")
    for name in ("value", "tolerance"):
        try:
            float(line[name] or 0)
        except ValueError:
            raise UserError(f"{where}: {name} {line[name]!r} must be a number, or empty where unknown") from None


def spreadsheet(rows: Sequence[Row]) -> str:
    """CSV with one line for each (split, domain, method, metric)."""
    lines = []
    for row in rows:
        for metric, value in row.values.items():
            numbers = (f"{x:.4f}" for x in (value.value, value.low, value.high))
            lines.append((row.split, row.domain, row.method, metric, *numbers))
    return Table(("split", "domain", "method", "metric", "value", "low", "high"), lines).csv()
