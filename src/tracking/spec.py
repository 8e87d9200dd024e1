"""Where metrics go (`conf/tracking/*.yaml`), and what is shown; imports nothing heavy."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field

LOCAL = ("tensorboard", "trackio")  # copies on this machine; packages and extras have the same names


@dataclass(frozen=True)
class TrackingSpec:
    """`metrics.jsonl` is always written. Copies of it: `wandb`, a Weights & Biases run; `tensorboard`, event files beside it;
    `trackio`, a run of Trackio on this machine. `project` is that of W&B (or WANDB_PROJECT in the environment) and Trackio;
    `entity` (a user or team), `name`, `tags` and `notes` are W&B's; without a name it is `<experiment>-<seed>`.

    Copies get `rollouts_rows` rollouts every `rollouts_every` steps of GRPO (0: none), and W&B `evaluation_rows` completions of
    the evaluation."""

    wandb: bool = False
    tensorboard: bool = False
    trackio: bool = False
    project: str = "adamame"
    entity: str | None = None
    name: str | None = None
    tags: list[str] = field(default_factory=list)
    notes: str | None = None
    rollouts_every: int = 10
    rollouts_rows: int = 16
    evaluation_rows: int = 64

    @property
    def local(self) -> tuple[str, ...]:
        """The copies on this machine that are asked for."""
        return tuple(name for name in LOCAL if getattr(self, name))

    def missing(self) -> list[str]:
        """A sentence for each copy whose package is not installed."""
        return [
            f"tracking.{name}=true needs the package {name}, which is not installed: make setup-{name}, or pip install "
            f"-c constraints.txt -e '.[{name}]'"
            for name in self.local
            if importlib.util.find_spec(name) is None
        ]
