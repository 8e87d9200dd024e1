"""The card of a data set: what it was made of and how, counts, a hash; and its table for the screen."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Counts = Mapping[str, Counter[str]]  # language -> what -> how many


def table(counts: Counts, columns: Sequence[str], markdown: bool = False) -> str:
    """A row for each language and one for all, a column for each of `columns` that occurs."""
    used = [column for column in columns if any(row[column] for row in counts.values())]
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [["language", *used]]
    rows += [
        [code, *(f"{row[column]:,}" for column in used)] for code, row in [*sorted(counts.items()), ("all", total)]
    ]
    return _markdown(rows) if markdown else _plain(rows)


def counted(counts: Counts, columns: Sequence[str], reasons: Mapping[str, str]) -> list[str]:
    """The sections on counts: the table, and what the reasons that occur in it mean."""
    told = [f"- {name}: {text}" for name, text in reasons.items() if any(row[name] for row in counts.values())]
    return ["## Counts", table(counts, columns, markdown=True), *(["\n".join(told)] if told else [])]


def lengths(values: Mapping[str, Sequence[int]], unit: str) -> str:
    """Median, 90th percentile and longest of each language, as a markdown table."""
    rows = [["language", f"median {unit}", "90 %", "longest"]]
    for code, own in sorted(values.items()):
        ordered = sorted(own)
        ninety = ordered[min(len(ordered) - 1, len(ordered) * 9 // 10)]
        rows.append([code, f"{statistics.median(ordered):,.0f}", f"{ninety:,}", f"{ordered[-1]:,}"])
    return _markdown(rows)


def settings(values: Mapping[str, Any]) -> str:
    """Settings as a markdown table, those in groups by their full names."""
    return _markdown([["setting", "value"], *([key, f"`{value}`"] for key, value in _flat(values))])


def file_hash(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path, names: Sequence[str]) -> str:
    """Rows and SHA-256 of the files that are there, as a markdown table."""
    rows = [["file", "rows", "SHA-256"]]
    for path in (folder / name for name in names):
        if path.is_file():
            rows.append([path.name, f"{path.read_bytes().count(10):,}", file_hash(path)])
    return _markdown(rows)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        nested = isinstance(value, dict) and value
        found += _flat(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", value)]
    return found


def _plain(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if not place else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )  # fmt: skip


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])
