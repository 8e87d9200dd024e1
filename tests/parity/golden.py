"""The golden vectors, where there are any: `$GOLDEN_DIR`, by default a folder beside the checkout."""

import json
import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("GOLDEN_DIR") or Path(__file__).resolve().parents[3] / "shared" / "golden")


def files(name):
    """The files of one kind: `advantages.json` and any `advantages*.json` beside it, of the same format."""
    return sorted(FOLDER.glob(f"{Path(name).stem}*.json"))


def golden(name):
    """The entries of all files of one kind, or a skip that says why."""
    found = files(name)
    if not found:
        pytest.skip(f"no golden vectors: {FOLDER / name} does not exist; set GOLDEN_DIR", allow_module_level=True)
    return [entry for path in found for entry in json.loads(path.read_text(encoding="utf-8"))]
