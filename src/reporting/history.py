"""How a run went, as far as its files still tell; what is missing or damaged is said and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.store.directory import Run
from src.store.rollouts import Damaged, read_rollouts, steps_of
from src.store.whole import gaps, lost_history
from src.tracking.metrics_file import read_metrics


@dataclass(frozen=True)
class History:
    """`lines` of metrics, none where they are not whole; the first and last of the `steps` whose rollouts can be read; `notes`, a sentence for each
    loss."""

    lines: list[dict[str, Any]]
    steps: list[int]
    notes: list[str]


def history_of(run: Run) -> History:
    """The history of the GRPO stage of a run; an empty one of a run without that stage."""
    folders = [path.parent for path in (run.metrics, run.rollouts) if path is not None]
    notes = lost_history(folders[0] if folders else run.config.parent / "grpo")
    lines: list[dict[str, Any]] = []
    steps: list[int] = []
    if run.metrics is not None:
        try:
            lines = read_metrics(run.metrics)
        except UserError as error:
            notes.append(str(error))
        if missing := gaps([line["step"] for line in lines], lines[-1]["step"] if lines else 0):
            notes.append(f"{run.metrics} lacks the steps {missing}")
        if any(str(run.metrics) in note for note in notes):
            lines = []
    if run.rollouts is not None:
        there = steps_of(run.rollouts)
        steps = list(dict.fromkeys(_readable(run.rollouts, there, notes) + _readable(run.rollouts, there[::-1], notes)))
        if missing := gaps(there, max([*there, *(line["step"] for line in lines)], default=0)):
            notes.append(f"{run.rollouts} lacks the rollouts of the steps {missing}")
    return History(lines, steps, list(dict.fromkeys(notes)))


def _readable(folder: Path, steps: Sequence[int], notes: list[str]) -> list[int]:
    """The first of `steps` whose rollouts can be read; of those before it a note is added."""
    for step in steps:
        try:
            read_rollouts(folder, step)
            return [step]
        except Damaged as error:
            notes.append(str(error))
    return []
