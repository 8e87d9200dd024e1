"""What produced a number: commit, versions, command. Nothing about whose machine it was."""

from __future__ import annotations

import platform
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "transformers", "peft", "hydra-core")
SCORERS = ("latex2sympy2-extended", "lingua-language-detector", "math-verify", "sympy")


def commit() -> str:
    """Short hash of the checkout, `-dirty` with uncommitted changes of tracked files; `unknown` without git."""
    if not (ROOT / ".git").exists():  # git would answer for a checkout that happens to lie around this folder
        held = ROOT / "COMMIT"  # of a copy of the code, see src/orchestration/cluster/snapshot.py
        return held.read_text(encoding="utf-8").strip() if held.is_file() else "unknown"
    try:
        described = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10", "--match", "none"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip() or "unknown"


def scoring() -> dict[str, str]:
    """The scoring rule and the versions of what it rests on: two scores with different ones are not comparable."""
    from src.grading.grader import SCORING_VERSION

    return {"scoring rule": str(SCORING_VERSION)} | {name: _version(name) for name in SCORERS}


def provenance() -> dict[str, str]:
    """Commit and time of the report, Python and package versions, kind of machine."""
    import os

    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    facts = {"commit": commit(), "made": made, "python": platform.python_version(), "cpus": str(os.cpu_count() or 0)}
    return facts | {name: _version(name) for name in PACKAGES} | scoring()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
