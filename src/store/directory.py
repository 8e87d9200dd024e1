"""The files of a run directory: every name is spelled here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """What one run offers: its evaluation records, and, of a GRPO run, its metrics and rollouts."""

    method: str
    seed: int
    records: Path
    metrics: Path | None
    rollouts: Path | None
    config: Path


LOCK, STATUS, ERROR, OVERRIDES = ".run.lock", "status.json", "error.txt", "overrides.txt"


SLURM, LOG = "slurm.json", "log.txt"


STAGES = ("traces", "pretrain", "sft", "prompts", "grpo", "evaluate", "report")


DATA_STAGES = ("traces", "prompts")  # they make files of data for later runs


SHARED = ("pretrain", "sft")  # of several runs: their folders are not in the run directory


def found(directory: Path, method: str, seed: int) -> Run:
    """What a finished run directory offers to a report."""
    metrics = directory / "grpo" / "metrics.jsonl"
    rollouts = directory / "grpo" / "rollouts"
    return Run(
        method=method,
        seed=seed,
        records=directory / "evaluate" / "records.parquet",
        metrics=metrics if metrics.is_file() else None,
        rollouts=rollouts if rollouts.is_dir() else None,
        config=directory / "config.yaml",
    )
