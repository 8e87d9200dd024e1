"""Which completions the copies of a run show, and how."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from src.common.visible import visible
from src.store.records import PART, ROLLOUTS
from src.store.rollouts import read_rollouts, rollouts_file
from src.tracking.spec import TrackingSpec

COLUMNS = tuple(column.name for column in ROLLOUTS if column.in_tables)
Item = TypeVar("Item")


def chosen(rows: list[Item], count: int) -> list[Item]:
    """`count` of the rows (or all), evenly spread: always the same, and as many prompts as there can be."""
    return rows if len(rows) <= count else [rows[place * len(rows) // count] for place in range(count)]


def printable(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with texts that hide nothing and act on nothing."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in row.items()}


def rollouts_shown(directory: Path, step: int, spec: TrackingSpec) -> list[dict[str, Any]]:
    """The rollouts of a step that are shown, with the columns of tables; none where no table is due."""
    due = spec.rollouts_every > 0 and spec.rollouts_rows > 0 and step % spec.rollouts_every == 0
    if not due or not rollouts_file(directory, step).is_file():
        return []
    rows = chosen(read_rollouts(directory, step), spec.rollouts_rows)
    return [printable({name: row[name] for name in row if name in COLUMNS or name.startswith(PART)}) for row in rows]
