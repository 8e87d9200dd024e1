"""What a schedule of the alignment factor is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Schedule:
    """The alignment factor B g(progress), growing from `maximum` x `floor` to `maximum`.

    `maximum` is the bonus B. Between `onset` and `end` (shares of training) the growth follows `shape`; it never
    falls below `floor`. Subclasses give `shape`; one that keeps state also gives `state_dict`.
    """

    maximum: float = 2.0
    floor: float = 0.1
    onset: float = 0.0
    end: float = 1.0

    def shape(self, u: float) -> float:
        """The curve itself: [0, 1] -> [0, 1]."""
        raise NotImplementedError(f"{type(self).__name__} does not say its shape")

    def growth(self, progress: float) -> float:
        """g in [floor, 1] at `progress` in [0, 1] of training."""
        u = min(1.0, max(0.0, (progress - self.onset) / (self.end - self.onset)))
        return max(self.shape(u), self.floor)

    def factor(self, progress: float, language: str | None = None) -> float:
        """B g: what a rollout in the language of its query gains over one in another. Schedules that treat
        languages differently look at `language`, the language of the query."""
        return self.maximum * self.growth(progress)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold; nothing for a schedule of progress alone."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        found = []
        if self.maximum < 0:
            found.append(f"schedule.maximum must be 0 or more; got {self.maximum}")
        if not 0 <= self.floor <= 1:
            found.append(f"schedule.floor must be in [0, 1]; got {self.floor}")
        if not 0 <= self.onset < self.end <= 1:
            found.append(f"schedule needs 0 <= onset < end <= 1; got onset {self.onset}, end {self.end}")
        return found
