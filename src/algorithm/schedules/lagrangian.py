"""A Lagrange multiplier on language fidelity: the factor rises while too few rollouts match, and falls otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src.algorithm.schedules.base import Controller, Observed, Schedule

SCOPES = ("all", "language")
EVERY = "*"  # the one multiplier where the scope is `all`


@dataclass(frozen=True)
class Lagrangian(Schedule):
    """lambda <- clip(lambda + `rate` (`target` - mhat), 0, `maximum`), with mhat a running mean (weight `memory` on the
    past) of the share of rollouts in the language of their query; lambda starts at 0. `scope`: one multiplier for `all`
    queries (the published `lagrangian`), or one for each `language` of the query.

    Dual ascent on the constraint mhat >= `target`. A `target` that the policy cannot reach keeps lambda at `maximum`; one
    multiplier for all lets a language that matches pay for one that does not.
    """

    target: float = 0.9
    rate: float = 0.05
    memory: float = 0.9
    scope: str = "all"

    def start(self) -> Controller:
        return LagrangianController(self)

    def rules(self) -> list[str]:
        violations = super().rules()
        if not 0 <= self.target <= 1:
            violations.append(f"schedule.target must be in [0, 1]; got {self.target}")
        if self.rate <= 0:
            violations.append(f"schedule.rate must be above 0; got {self.rate}")
        if not 0 <= self.memory < 1:
            violations.append(f"schedule.memory must be in [0, 1); got {self.memory}")
        if self.scope not in SCOPES:
            violations.append(f"schedule.scope must be one of {', '.join(SCOPES)}; got {self.scope!r}")
        return violations

    def violations(self) -> list[str]:
        violations = super().violations()
        if self.scope == "all" and self.per_language:
            violations.append(
                f"schedule.per_language needs schedule.scope=language, a multiplier each; got {', '.join(self.per_language)}"
            )
        return violations


class LagrangianController(Controller):
    """State: mhat and the multiplier by language of the query (or of all). A step uses the multiplier that the steps
    before it left."""

    def __init__(self, settings: Lagrangian) -> None:
        self.settings = settings
        self.matched: dict[str, float] = {}
        self.multiplier: dict[str, float] = {}  # in use
        self.next: dict[str, float] = {}  # from the following step on

    def observe(self, observed: Observed) -> None:
        rates: dict[str, list[bool]] = {}
        for spoken, language in zip(observed.reasoning, observed.query, strict=True):
            rates.setdefault(self._key(language), []).append(spoken == language)
        self.multiplier = dict(self.next)
        for key, hits in rates.items():
            own = self.settings.of(key)
            rate = sum(hits) / len(hits)
            known = self.matched.get(key)
            self.matched[key] = rate if known is None else own.memory * known + (1 - own.memory) * rate
            raised = self.next.get(key, 0.0) + own.rate * (own.target - self.matched[key])
            self.next[key] = min(own.maximum, max(0.0, raised))

    def factor(self, progress: float, language: str) -> float:
        return self.multiplier.get(self._key(language), 0.0)

    def exploration(self, progress: float, language: str) -> float:
        return 0.0

    def metrics(self) -> dict[str, float]:
        if self.settings.scope == "all":
            return {"matched": self.matched.get(EVERY, 0.0)}
        return {f"matched/{language}": value for language, value in sorted(self.matched.items())}

    def state_dict(self) -> dict[str, Any]:
        return {"matched": dict(self.matched), "multiplier": dict(self.multiplier), "next": dict(self.next)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.matched = dict(state.get("matched", {}))
        self.multiplier = dict(state.get("multiplier", {}))
        self.next = dict(state.get("next", {}))

    def _key(self, language: str) -> str:
        return EVERY if self.settings.scope == "all" else language
