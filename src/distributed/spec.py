"""How many processes share a run, how it is optimised and when it is saved; imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DistributedSpec:
    """`processes` data-parallel ranks of `threads` CPU threads each. `device` is `auto`, `cpu` or `cuda`.

    `zero` is how much the ranks split instead of holding all of it each: 0 nothing, 1 the optimiser, 2 gradients too, 3
    weights too (DeepSpeed ZeRO). `offload` moves what is split to the CPU's memory: `none`, `optimiser` or `all`. After
    `timeout_s` seconds a rank gives up waiting for the others.
    """

    processes: int = 1
    threads: int = 1
    device: str = "auto"
    zero: int = 0
    offload: str = "none"
    timeout_s: int = 3600

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.processes < 1 or self.threads < 1:
            violations.append(
                f"distributed.processes and distributed.threads must be at least 1; got {self.processes}, {self.threads}"
            )
        if self.device not in ("auto", "cpu", "cuda"):
            violations.append(f"distributed.device must be auto, cpu or cuda; got {self.device!r}")
        if self.zero not in (0, 1, 2, 3):
            violations.append(f"distributed.zero must be 0, 1, 2 or 3; got {self.zero}")
        if self.offload not in ("none", "optimiser", "all"):
            violations.append(f"distributed.offload must be none, optimiser or all; got {self.offload!r}")
        if (self.offload != "none" and not self.zero) or (self.offload == "all" and self.zero != 3):
            violations.append(
                "distributed.offload=optimiser needs distributed.zero=1, 2 or 3, and distributed.offload=all needs 3; got "
                f"offload {self.offload} with zero {self.zero}"
            )
        if self.timeout_s < 1:
            violations.append(f"distributed.timeout_s must be at least 1 second; got {self.timeout_s}")
        return violations


@dataclass(frozen=True)
class CheckpointSpec:
    """A checkpoint every `every_steps` optimiser or GRPO steps; the last `keep` stay."""

    every_steps: int = 10
    keep: int = 2

    def due(self, finished: int, steps: int) -> bool:
        """Whether there is a checkpoint after `finished` of `steps` steps: every so many, and at the end."""
        return finished == steps or finished % self.every_steps == 0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        if self.every_steps < 1 or self.keep < 1:
            return [
                f"checkpoint.every_steps and checkpoint.keep must be at least 1; got {self.every_steps}, {self.keep}"
            ]
        return []


@dataclass(frozen=True)
class OptimiserSpec:
    """AdamW. The rate warms up linearly over `warmup` (share of all updates), then follows `decay`."""

    learning_rate: float = 1e-4
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    weight_decay: float = 0.0
    warmup: float = 0.0
    decay: str = "constant"
    gradient_clip: float = 1.0

    def violations(self, name: str) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.learning_rate <= 0:
            violations.append(f"{name}.learning_rate must be above 0; got {self.learning_rate}")
        if self.decay not in ("constant", "cosine"):
            violations.append(f"{name}.decay must be constant or cosine; got {self.decay!r}")
        if not 0 <= self.warmup < 1:
            violations.append(f"{name}.warmup is a share of all updates in [0, 1); got {self.warmup}")
        if self.gradient_clip <= 0:
            violations.append(
                f"{name}.gradient_clip must be above 0 (use a large number for none); got {self.gradient_clip}"
            )
        return violations

    def rate(self, update: int, updates: int) -> float:
        """The learning rate of update number `update` (from 0) of `updates`."""
        warm = round(self.warmup * updates)
        if update < warm:
            return self.learning_rate * (update + 1) / warm
        if self.decay == "constant":
            return self.learning_rate
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (update - warm) / max(1, updates - warm)))
