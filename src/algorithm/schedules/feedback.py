"""Entropy feedback: diversity while the model reasons in few languages, alignment once it reasons in many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src.algorithm.entropy import language_entropy
from src.algorithm.schedules.base import Controller, Observed, Schedule


@dataclass(frozen=True)
class Feedback(Schedule):
    """Driven by eta, a running mean (weight `memory` on the past) of the language entropy H / ln n of the groups.

    d = max(0, 1 - eta / `enough`), and g rises from 0 at eta = `begin` to 1 at eta = `full` (the published `feedback`).

    Assumes that exploration makes the languages of a group many: while eta stays below `begin`, as in a policy that
    reasons in one language, the factor is 0 and alignment never begins.
    """

    memory: float = 0.9
    enough: float = 0.6
    begin: float = 0.4
    full: float = 1.0

    def start(self) -> Controller:
        return FeedbackController(self)

    def rules(self) -> list[str]:
        violations = super().rules()
        if not 0 <= self.memory < 1:
            violations.append(f"schedule.memory must be in [0, 1); got {self.memory}")
        if self.enough <= 0:
            violations.append(f"schedule.enough must be above 0; got {self.enough}")
        if self.begin >= self.full:
            violations.append(f"schedule.begin must be below schedule.full; got {self.begin} and {self.full}")
        return violations


class FeedbackController(Controller):
    """State: eta, None before the first step. A step's own groups count for its factor, as published."""

    def __init__(self, settings: Feedback) -> None:
        self.settings = settings
        self.entropy: float | None = None

    def observe(self, observed: Observed) -> None:
        shares = language_entropy(observed.reasoning, observed.groups)
        mean = sum(shares.values()) / len(shares)
        memory = self.settings.memory
        self.entropy = mean if self.entropy is None else memory * self.entropy + (1 - memory) * mean

    def factor(self, progress: float, language: str) -> float:
        own = self.settings.of(language)
        return own.maximum * min(1.0, max(0.0, ((self.entropy or 0.0) - own.begin) / (own.full - own.begin)))

    def exploration(self, progress: float, language: str) -> float:
        return max(0.0, 1.0 - (self.entropy or 0.0) / self.settings.of(language).enough)

    def metrics(self) -> dict[str, float]:
        return {"language_entropy": self.entropy or 0.0}

    def state_dict(self) -> dict[str, Any]:
        return {"entropy": self.entropy}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.entropy = state.get("entropy")
