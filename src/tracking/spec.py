"""Where metrics go (`conf/tracking/*.yaml`), and what is shown; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrackingSpec:
    """`metrics.jsonl` is always written. `wandb` adds a Weights & Biases run in `project` (or that of
    WANDB_PROJECT in the environment), with a table of `rollouts_rows` rollouts every `rollouts_every` steps of GRPO (0: none)."""

    wandb: bool = False
    project: str = "adamame"
    rollouts_every: int = 10
    rollouts_rows: int = 16
