"""Training rollouts on disk: one parquet file a step, with what each was worth and why."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def write_rollouts(directory: Path, step: int, rows: Sequence[dict[str, Any]]) -> Path:
    """Write the rows of `step` (the columns of `src.training.metrics.rollout_rows`), whole or not at all."""
    import pyarrow
    import pyarrow.parquet

    from src.common.files import replace_durably

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), buffer, compression="zstd")
    path = directory / f"step-{step:06d}.parquet"
    replace_durably(path, buffer.getvalue())
    return path


def truncate_rollouts(directory: Path, step: int) -> None:
    """Remove the files of steps after `step`: a resumed run writes them again."""
    for path in directory.glob("step-*.parquet"):
        if int(path.stem.removeprefix("step-")) > step:
            path.unlink()


def steps_of(directory: Path) -> list[int]:
    """The steps that have a file, ascending."""
    return sorted(int(path.stem.removeprefix("step-")) for path in directory.glob("step-*.parquet"))


def read_rollouts(directory: Path, step: int) -> list[dict[str, Any]]:
    """The rows of one step."""
    import pyarrow.parquet

    return list(pyarrow.parquet.read_table(directory / f"step-{step:06d}.parquet").to_pylist())


def printable(text: str) -> str:
    """Model output made safe for a terminal: control characters are shown, not obeyed."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
