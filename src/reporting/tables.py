"""The result tables: for a terminal, for markdown, for a spreadsheet."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from src.analysis.pareto import front, normalised_hypervolume
from src.analysis.published import PUBLISHED, published
from src.analysis.statistics import (
    DETAILS,
    DOMAINS,
    METRICS,
    Cells,
    Estimate,
    differences,
    estimate,
    known,
    macro,
    p_value,
    resampled,
)
from src.common.errors import UserError

LABELS = {
    "base": "base", "sft": "SFT", "grpo": "GRPO", "additive": "additive", "adamame_grpo": "AdaMame-GRPO", "adamame_mean": "AdaMame, mean",
}  # fmt: skip


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


def summary(data: dict[tuple[str, str], Cells]) -> list[Row]:
    """Rows for every (method, split), each domain that has languages, and each language by itself."""
    rows = []
    for (method, split), cells in data.items():
        over = resampled(cells)
        for domain, languages in (DOMAINS | {code: (code,) for code in cells.languages}).items():
            if any(code in cells.languages for code in languages):
                values = {metric: estimate(macro(cells, metric, languages, over)) for metric in known(cells)}
                rows.append(Row(method, split, domain, values))
    return rows


def cell(metric: str, value: Estimate) -> str:
    """A value with its interval, in the digits its unit deserves; a dash where there is none."""
    return value.text(1 if metric.startswith("tokens") else 3) if isfinite(value.value) else "-"


def markdown(rows: Sequence[Row], split: str, metrics: Sequence[str] = tuple(METRICS), languages: bool = False) -> str:
    """The table of one split, a row for each domain, or for each language."""
    lines = ["| domain | method | " + " | ".join(metrics) + " |", "|---|---|" + "---|" * len(metrics)]
    chosen = [row for row in rows if row.split == split and (row.domain in DOMAINS) != languages]
    order = list(dict.fromkeys(row.domain for row in chosen))
    for row in sorted(chosen, key=lambda row: order.index(row.domain)):
        cells = " | ".join(cell(metric, row.values[metric]) for metric in metrics)
        lines.append(f"| {row.domain} | {label(row.method)} | {cells} |")
    return "\n".join(lines)


def details(rows: Sequence[Row], split: str) -> str:
    """The second table of one split: pass@k, and what stands behind the numbers of the first."""
    passes = dict.fromkeys(
        name for row in rows if row.split == split for name in row.values if name.startswith("pass@")
    )
    told = [name for name in DETAILS if any(name in row.values for row in rows)]
    return markdown(rows, split, [*passes, *told])


def as_published(records: dict[str, dict[int, Any]], split: str) -> str:
    """The metrics as published with AdaMame, mean over seeds; empty when the records do not hold them."""
    lines = ["| domain | method | " + " | ".join(PUBLISHED) + " |", "|---|---|" + "---|" * len(PUBLISHED)]
    for domain, languages in DOMAINS.items():
        for method, frames in records.items():
            chosen = [frame[frame["split"] == split] for frame in frames.values()]
            if any("published_correct" not in frame for frame in chosen):
                return ""
            found = [values for frame in chosen if (values := published(frame, languages)) is not None]
            if found:
                means = (f"{sum(values[name] for values in found) / len(found):.3f}" for name in PUBLISHED)
                lines.append(f"| {domain} | {label(method)} | " + " | ".join(means) + " |")
    return "\n".join(lines)


def fronts(rows: Sequence[Row], split: str, budget: float) -> str:
    """Which methods no other beats in (accuracy, fidelity, -tokens), and the hypervolume of each and of all."""
    lines = ["| domain | method | on the front | hypervolume |", "|---|---|---|---|"]
    for domain in DOMAINS:
        chosen = [row for row in rows if (row.split, row.domain) == (split, domain)]
        found = [tuple(row.values[name].value for name in ("accuracy", "fidelity", "tokens")) for row in chosen]
        points = [(a, f, t) for a, f, t in found]
        if not points or not all(isfinite(t) for *_, t in points):
            continue
        edge = front([(a, f, -t) for a, f, t in points])
        for place, (row, point) in enumerate(zip(chosen, points, strict=True)):
            volume = normalised_hypervolume([point], budget)
            lines.append(f"| {domain} | {label(row.method)} | {'yes' if place in edge else ''} | {volume:.3f} |")
        if len(points) > 1:
            lines.append(f"| {domain} | all together | | {normalised_hypervolume(points, budget):.3f} |")
    return "\n".join(lines)


def terminal(rows: Sequence[Row], splits: Sequence[str]) -> str:
    """The tables of all splits as plain text, interval under value."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(width=112, file=io.StringIO(), color_system=None, record=False)
    for split in splits:
        table = Table(title=f"{split} (value over its 95 % interval)", box=box.SIMPLE, padding=(0, 1, 0, 0))
        for name in ("domain", "method", *METRICS):
            widest = max(map(len, name.split()))
            table.add_column(name, no_wrap=name in ("domain", "method"), min_width=max(9, widest))
        for domain in DOMAINS:
            for row in (row for row in rows if (row.split, row.domain) == (split, domain)):
                cells = [_stacked(metric, row.values[metric]) for metric in METRICS]
                table.add_row(domain, label(row.method), *cells)
            table.add_section()
        console.print(table)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def _stacked(metric: str, value: Estimate) -> str:
    """Value over interval, narrow enough for a terminal."""
    if not isfinite(value.value):
        return "-"
    digits = (1, 1) if metric == "tokens" else (3, 2)
    return f"{value.value:.{digits[0]}f}\n{value.low:.{digits[1]}f}-{value.high:.{digits[1]}f}"


def plain(table: str) -> str:
    """A markdown table as plain text, columns aligned."""
    rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in table.splitlines()]
    del rows[1:2]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def compared(data: dict[tuple[str, str], Cells], method: str, split: str) -> str:
    """Paired differences of `method` minus every other method, with intervals and p values; markdown."""
    metrics = ("accuracy", "fidelity", "right and in language")
    lines = [
        f"| domain | {label(method)} minus | " + " | ".join(metrics) + " |",
        "|---|---|" + "---|" * len(metrics),
    ]
    for domain, languages in DOMAINS.items():
        for (other, where), cells in data.items():
            if where != split or other == method or not any(code in cells.languages for code in languages):
                continue
            own = data[method, split]
            found = [(differences(own, cells, m, languages), p_value(own, cells, m, languages)) for m in metrics]
            shown = " | ".join(f"{f.value:+.3f} [{f.low:+.3f}, {f.high:+.3f}] p={p:.4f}" for f, p in found)
            lines.append(f"| {domain} | {label(other)} | {shown} |")
    return "\n".join(lines)


def chosen(tried: Sequence[dict[str, Any]]) -> str:
    """What every value of a setting came to where it was chosen, the choice marked; markdown."""
    lines = ["| method | value | seeds | right and in language, dev | chosen |", "|---|---|---|---|---|"]
    for row in tried:
        score, mark = f"{row['right_and_in_language']:.3f}", "yes" if row["chosen"] else ""
        lines.append(f"| {label(row['arm'])} | {row['value']} | {row['seeds']} | {score} | {mark} |")
    return "\n".join(lines)


def beside_expected(rows: Sequence[Row], expected: Path) -> str:
    """Ours beside what `expected.csv` says (split, domain, method, metric, value, tolerance); unknown stays empty.

    Raises:
        UserError: a malformed line of the file; names file, line and field.
    """
    lines = [
        "| split | domain | method | metric | ours | expected | within tolerance |",
        "|---|---|---|---|---|---|---|",
    ]
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
            lines.append(
                f"| {line['split']} | {line['domain']} | {label(line['method'])} | {line['metric']} | {shown} | {wanted} | {verdict} |"
            )
    return "\n".join(lines)


def _check_expected(line: dict[str, str], where: str) -> None:
    missing = [name for name in ("split", "domain", "method", "metric", "value", "tolerance") if line.get(name) is None]
    if missing:
        raise UserError(f"{where}: field {missing[0]!r} is missing; leave an unknown value empty, but keep its comma")
    for name, allowed in (("domain", DOMAINS), ("metric", METRICS)):
        if line[name] not in allowed:
            close = difflib.get_close_matches(line[name], allowed, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UserError(f"{where}: {name} {line[name]!r} must be one of {', '.join(allowed)}.{hint}")
    for name in ("value", "tolerance"):
        try:
            float(line[name] or 0)
        except ValueError:
            raise UserError(f"{where}: {name} {line[name]!r} must be a number, or empty where unknown") from None


def spreadsheet(rows: Sequence[Row]) -> str:
    """CSV with one line for each (split, domain, method, metric)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["split", "domain", "method", "metric", "value", "low", "high"])
    for row in rows:
        for metric, value in row.values.items():
            writer.writerow(
                [row.split, row.domain, row.method, metric, *(f"{x:.4f}" for x in (value.value, value.low, value.high))]
            )
    return buffer.getvalue()
