"""Where metrics go (`conf/tracking/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrackingSpec:
    """`metrics.jsonl` is always written. `wandb` adds a Weights & Biases run in `project`."""

    wandb: bool = False
    project: str = "adamame"
