"""Training rollouts on disk: one parquet file a step, with what each was worth and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src.common.errors import UserError
from src.store.records import Row, rollout_columns, table, write_table


def rollouts_file(directory: Path, step: int) -> Path:
    """The file of one step."""
    return directory / f"step-{step:06d}.parquet"


def write_rollouts(directory: Path, step: int, rows: Sequence[Row], parts: Sequence[str] = ()) -> Path:
    """Write the rows of `step` (`src.store.records.rollout_columns` of the `parts` of the reward), whole or not at all."""
    path = rollouts_file(directory, step)
    write_table(path, table(rows, rollout_columns(parts)))
    return path


def truncate_rollouts(directory: Path, step: int) -> None:
    """Remove the files of steps after `step`: a resumed run writes them again."""
    for path in directory.glob("step-*.parquet"):
        if int(path.stem.removeprefix("step-")) > step:
            path.unlink()


def steps_of(directory: Path) -> list[int]:
    """The steps that have a file, ascending."""
    return sorted(int(path.stem.removeprefix("step-")) for path in directory.glob("step-*.parquet"))


class Damaged(UserError):
    """A file of rollouts cannot be read."""


def read_rollouts(directory: Path, step: int) -> list[Row]:
    """The rows of one step. Raises `Damaged` where its file cannot be read."""
    import pyarrow.parquet

    path = rollouts_file(directory, step)
    try:
        return list(pyarrow.parquet.read_table(path).to_pylist())
    except (OSError, ValueError) as error:  # pyarrow's errors are kinds of these
        raise Damaged(
            f"{path} is damaged ({str(error).splitlines()[0]}): the rollouts of step {step} are lost, the model is not"
        ) from None
