"""Where metrics go (`conf/tracking/*.yaml`), and what is shown; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrackingSpec:
    """`metrics.jsonl` is always written. `wandb` adds a Weights & Biases run in `project`."""

    wandb: bool = False
    project: str = "adamame"


@dataclass(frozen=True)
class ReportSpec:
    """What is shown beside the stages. `schedule_preview` draws the schedule of the run and does nothing else."""

    schedule_preview: bool = False
