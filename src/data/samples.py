"""Right answers of a model, as worked examples: from a file of examples, or the rollouts of a finished GRPO stage."""

from __future__ import annotations

from pathlib import Path

from src.common.errors import UserError
from src.data.readers import BadData
from src.data.records import Example, read_records
from src.store.rollouts import read_rollouts, rollouts_file, steps_of


def read_samples(path: str) -> list[Example]:
    """The examples of a file, or of a folder of rollouts those that are right, whole, and in the language of their question.

    Raises:
        BadData: there are none.
    """
    if not Path(path).is_dir():
        return read_records(path, Example)
    rows = [row for step in steps_of(Path(path)) for row in read_rollouts(Path(path), step)]
    kept = [
        Example(
            str(row["problem"]), str(row["language"]), str(row["question"]), str(row["gold"]), str(row["completion"])
        )
        for row in rows
        if row["right_and_in_language"] and not row["truncated"]
    ]
    if not kept:
        raise BadData(
            f"{path}: of {len(rows)} rollouts none is right and in the language of its question. Give those of another run"
        )
    return kept


def files_of(path: str) -> list[Path]:
    """The files of a folder of rollouts. Raises `UserError` where there are none."""
    folder = Path(path)
    if not (steps := steps_of(folder)):
        raise UserError(f"{path}: holds no step-*.parquet. Give the folder rollouts of a finished stage grpo")
    return [rollouts_file(folder, step) for step in steps]
