"""Tests of engines that are installed apart (`make test-engines`); they share the models of the unit tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
