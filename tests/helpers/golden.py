"""The golden vectors, where there are any: `$GOLDEN_DIR`, by default a folder beside the checkout."""

import json
from pathlib import Path

import pytest

from tests.helpers.paths import GOLDEN


def files(name):
    """The files of one kind: `advantages.json` and any `advantages*.json` beside it, of the same format."""
    return sorted(GOLDEN.glob(f"{Path(name).stem}*.json"))


def golden(name):
    """The entries of all files of one kind, or a skip that says why."""
    paths = files(name)
    if not paths:
        pytest.skip(f"no golden vectors: {GOLDEN / name} does not exist; set GOLDEN_DIR", allow_module_level=True)
    return [entry for path in paths for entry in json.loads(path.read_text(encoding="utf-8"))]
