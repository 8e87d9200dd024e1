"""What a run cost: seconds of its training stages, and the tokens that it sampled in training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.common.errors import UserError
from src.store.directory import DONE, MODEL_STAGES, ROLLOUT_FOLDER
from src.store.rollouts import rollouts_file, steps_of

COUNTED = (*MODEL_STAGES, "prompts")  # what makes a model, and what chooses its questions; not the evaluation


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock and sampled tokens of training; of evaluation nothing."""

    seconds: float = 0.0
    tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.tokens + other.tokens)


def spent(stages: Sequence[tuple[str, Path]]) -> Spent:
    """Over finished stages, (name, folder) each: those of the run and of all that it builds on. A folder counts once.

    Raises:
        UserError: a stage is not finished.
    """
    total = Spent()
    for folder, name in {folder: name for name, folder in stages}.items():
        if name in COUNTED:
            total += Spent(_seconds(folder), _tokens(folder / ROLLOUT_FOLDER))
    return total


def _seconds(folder: Path) -> float:
    done = folder / DONE
    if not done.is_file():
        raise UserError(f"{folder}: the stage must be finished for its cost; run the launch again first")
    return float(json.loads(done.read_text(encoding="utf-8"))["seconds"])


def _tokens(folder: Path) -> int:
    import pyarrow.parquet

    files = [rollouts_file(folder, step) for step in steps_of(folder)] if folder.is_dir() else []
    columns = [pyarrow.parquet.read_table(path, columns=["tokens"])["tokens"] for path in files]
    return sum(sum(column.to_pylist()) for column in columns)
