"""Whether what a finished stage left is what it finished with, asked by whoever reads it: a later stage, another run, a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from src.common.checksums import checksums, damage, is_whole
from src.common.errors import UserError
from src.store.directory import DONE, METRICS, MODEL, MODEL_CARD, ROLLOUT_FOLDER

RESULTS, HISTORY = "checksums", "history"  # in the note of a finished stage: what others trust, and how it came about


def done_of(folder: Path) -> dict[str, Any] | None:
    """The note of a finished stage; None where there is none, or it is damaged."""
    try:
        note = json.loads((folder / DONE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and is_whole(note) else None


def sums_of_stage(folder: Path) -> dict[str, dict[str, str]]:
    """The checksums to note at the end of a stage: of its model without its card, of tables and data, and of its history."""
    results = [path for path in folder.iterdir() if path.suffix in (".parquet", ".jsonl") and path.name != METRICS]
    card = folder / MODEL / MODEL_CARD  # its owner may edit it
    results += [path for path in (folder / MODEL).rglob("*") if path.is_file() and path != card]
    history = [path for path in (folder / METRICS, *(folder / ROLLOUT_FOLDER).glob("*.parquet")) if path.is_file()]
    return {RESULTS: checksums(folder, results), HISTORY: checksums(folder, history)}


def source_damage(path: Path) -> str | None:
    """What is wrong with a file, or a folder of a model, that a finished stage left; None also where nobody noted it."""
    noted = (done_of(path.parent) or {}).get(RESULTS, {})
    inside = {name: value for name, value in noted.items() if name == path.name or name.startswith(f"{path.name}/")}
    return damage(path.parent, inside)


def check_source(path: Path) -> None:
    """Raise `UserError` unless a file, or a folder of a model, is what the stage that left it finished with."""
    if wrong := source_damage(path):
        raise UserError(
            f"{wrong}. What is made of it would not be what it says: delete {path.parent} and give the command that made it again"
        )


def lost_history(folder: Path) -> list[str]:
    """A sentence for each file of the history of a finished stage that is missing or damaged."""
    noted = (done_of(folder) or {}).get(HISTORY, {})
    return [wrong for name, value in noted.items() if (wrong := damage(folder, {name: value}))]


def gaps(steps: list[int], last: int) -> str:
    """The steps of 1..`last` that are not among `steps`, as `3, 5-7`; empty when all are there."""
    missing = sorted(set(range(1, last + 1)) - set(steps))
    runs: list[list[int]] = []
    for step in missing:
        if runs and runs[-1][-1] == step - 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
