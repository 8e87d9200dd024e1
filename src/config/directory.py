"""Where a run lives: a function of its configuration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from src.services.spec import SERVICE

# Overrides that do not change results, or are in the path already: they do not give a run another directory.
NOT_HASHED = (
    "+experiment", "experiment", "scale", "seed", "root", "tracking", "distributed.", "hydra", "checkpoint.", "report.", "cluster=", "cluster.",
    "rollout.timeout_s", "rollout.probe_rows", "rollout.mismatch_limit", "rollout.vllm.", *(f"traces.teacher.{name}=" for name in SERVICE),
)  # fmt: skip


def run_directory(root: str | Path, scale: str, method: str, seed: int, overrides: Iterable[str] = ()) -> Path:
    """Where a run lives: the same command always has the same place. No time stamp, so that it resumes."""
    counted = sorted(text for text in overrides if not text.startswith(NOT_HASHED))
    suffix = "-" + hashlib.sha256(json.dumps(counted).encode()).hexdigest()[:8] if counted else ""
    return Path(root) / scale / method / f"seed{seed}{suffix}"
