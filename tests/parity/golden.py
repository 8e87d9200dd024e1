"""The golden vectors, where there are any: `$GOLDEN_DIR`, by default a folder beside the checkout."""

import json
import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("GOLDEN_DIR") or Path(__file__).resolve().parents[3] / "shared" / "golden")


def golden(name):
    """The content of one file, or a skip that says why."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"no golden vectors: {path} does not exist; set GOLDEN_DIR", allow_module_level=True)
    return json.loads(path.read_text())
