"""What a run directory tells about its job: `slurm.json`, written where jobs are submitted and by the jobs themselves."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from src.store.directory import SLURM


@dataclass(frozen=True)
class Record:
    """`job` is SLURM's id. `state` is `queued` (again after `requeues` stops), `running`, `stopped` by SLURM, `failed` or
    `done`. `folder` is the submission's, with its logs and its copy of the code."""

    job: str = ""
    state: str = "queued"
    requeues: int = 0
    folder: str = ""


def read(directory: Path) -> Record | None:
    """The record of a run directory; None where no job was ever submitted for it."""
    try:
        content = json.loads((directory / SLURM).read_text(encoding="utf-8"))
        return Record(**{key: content[key] for key in Record.__dataclass_fields__})
    except (OSError, ValueError, KeyError):
        return None


def write(directory: Path, record: Record) -> None:
    """Replace the record of a run directory."""
    path = directory / f".{SLURM}.{os.getpid()}"
    path.write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
    path.replace(directory / SLURM)


def change(directory: Path, **changes: Any) -> None:
    """Replace some fields of the record of a run directory."""
    write(directory, replace(read(directory) or Record(), **changes))
