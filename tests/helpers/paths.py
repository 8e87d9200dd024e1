"""Where the repository is, and the data beside it that not every machine has."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
GOLDEN = Path(os.environ.get("GOLDEN_DIR") or SHARED / "golden")
DATA = Path(os.environ.get("SHARED_DATA") or SHARED / "data")
