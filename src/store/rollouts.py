"""Training rollouts on disk: one parquet file a step, with what each was worth and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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


def read_rollouts(directory: Path, step: int) -> list[Row]:
    """The rows of one step."""
    import pyarrow.parquet

    return list(pyarrow.parquet.read_table(rollouts_file(directory, step)).to_pylist())


def printable(text: str) -> str:
    """Model output made safe for a terminal: control characters are shown, not obeyed."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
