"""r = 1 for a right answer, 0 otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.rewards.base import Judged


@dataclass(frozen=True)
class Accuracy:
    """The verified answer alone (the base reward of GRPO and of AdaMame)."""

    def __call__(self, judged: Sequence[Judged]) -> list[float | None]:
        return [float(row.correct) for row in judged]
