"""`metrics.jsonl`: a JSON line for each step of a stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from src.common.errors import UserError


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file; a torn last line is left out, none at all if there is no file.

    Raises:
        UserError: another line than the last is not JSON.
    """
    if not path.is_file():
        return []
    rows = []
    lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or not isinstance(row.get("step"), int):
                raise ValueError("not an object with a step")
            rows.append(row)
        except ValueError as error:
            if number < len(lines):
                raise UserError(
                    f"{path}, line {number}: every line but the last must be JSON ({error}). Delete the line, or the "
                    f"folder {path.parent} to run the stage again"
                ) from error
    return rows
