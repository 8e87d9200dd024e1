"""The card of a data set: what it was made of and how, counts, a hash; and its table for the screen."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.common.tables import Table

Counts = Mapping[str, Counter[str]]  # language -> what -> how many


def table(counts: Counts, columns: Sequence[str], markdown: bool = False) -> str:
    """A row for each language and one for all, a column for each of `columns` that occurs."""
    used = [column for column in columns if any(row[column] for row in counts.values())]
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [[code, *(f"{row[column]:,}" for column in used)] for code, row in [*sorted(counts.items()), ("all", total)]]
    made = Table(["language", *used], rows)
    return made.markdown() if markdown else made.text(right=True)


def counted(counts: Counts, columns: Sequence[str], reasons: Mapping[str, str]) -> list[str]:
    """The sections on counts: the table, and what the reasons that occur in it mean."""
    meanings = [f"- {name}: {text}" for name, text in reasons.items() if any(row[name] for row in counts.values())]
    return ["## Counts", table(counts, columns, markdown=True), *(["\n".join(meanings)] if meanings else [])]


def lengths(values: Mapping[str, Sequence[int]], unit: str) -> str:
    """Median, 90th percentile and longest of each language, as a markdown table."""
    rows = []
    for code, numbers in sorted(values.items()):
        ordered = sorted(numbers)
        ninety = ordered[min(len(ordered) - 1, len(ordered) * 9 // 10)]
        rows.append([code, f"{statistics.median(ordered):,.0f}", f"{ninety:,}", f"{ordered[-1]:,}"])
    return Table(["language", f"median {unit}", "90 %", "longest"], rows).markdown()


def settings(values: Mapping[str, Any]) -> str:
    """Settings as a markdown table, those in groups by their full names."""
    return Table(["setting", "value"], [[key, f"`{value}`"] for key, value in _flat(values)]).markdown()


def file_hash(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path, names: Sequence[str]) -> str:
    """Rows and SHA-256 of the files that are there, as a markdown table."""
    rows = []
    for path in (folder / name for name in names):
        if path.is_file():
            rows.append([path.name, f"{path.read_bytes().count(10):,}", file_hash(path)])
    return Table(["file", "rows", "SHA-256"], rows).markdown()


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in values.items():
        nested = isinstance(value, dict) and value
        flat += _flat(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", value)]
    return flat
