"""The critical bonus: as much alignment as each language needs to be preferred when right, and a margin.

Reasoning in the language of the query pays, on average over rollouts of the same prompts, only where
p_in (1 + B g) > p_out: above the critical bonus B* = p_out / p_in - 1. Below it the policy is paid to leave the
language; far above it, accuracy is bought for nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from src.algorithm.contrast import Contrast, Estimate, estimate, total
from src.algorithm.schedules.base import Controller, Observed
from src.algorithm.schedules.cosine import Cosine

RECENT = 0.5  # a language that is being lost must be noticed within a few steps


@dataclass(frozen=True)
class Critical(Cosine):
    """B_l = g(t) (B*_l + `margin` / p_in,l), at most `maximum`: at g = 1 a rollout in the language of the query earns on
    average `margin` more than one in another, in every language alike. g follows a cosine from `onset` to `end`.

    p_in and p_out are estimated by language of the query with weights `memory` on the past, and drawn to the mean over
    languages with the weight of `shrinkage` evenly mixed groups of four. Both kinds of rollouts must stay observed, for a
    language that is not sampled any more cannot be learned: while a share f below `keep` of the rollouts is in the
    language, g is at least 1 - f / `keep`; and where the rarer kind is a share below `observed`, exploration rises, for
    as long as g < 1.

    Where no group is mixed, B* rests on the other languages alone
    (`shrinkage`), and p_in near 0 drives the factor to `maximum`.
    """

    maximum: float = 8.0
    margin: float = 0.25
    memory: float = 0.9
    shrinkage: float = 4.0
    keep: float = 0.5
    observed: float = 0.1
    end: float = 0.5

    def start(self) -> Controller:
        return CriticalController(self)

    def rules(self) -> list[str]:
        violations = super().rules()
        if self.margin < 0:
            violations.append(f"schedule.margin must be 0 or more; got {self.margin}")
        if not 0 <= self.memory < 1:
            violations.append(f"schedule.memory must be in [0, 1); got {self.memory}")
        if self.shrinkage <= 0:
            violations.append(f"schedule.shrinkage must be above 0; got {self.shrinkage}")
        if not 0 <= self.keep <= 1:
            violations.append(f"schedule.keep must be in [0, 1], 0 for off; got {self.keep}")
        if not 0 <= self.observed <= 0.5:
            violations.append(f"schedule.observed must be in [0, 0.5]; got {self.observed}")
        return violations


class CriticalController(Controller):
    """State: a `Contrast`, and the share of rollouts in the language, for each language of the query. The factors of a
    step rest on the steps before it, so that no rollout has a say in its own weight."""

    def __init__(self, settings: Critical) -> None:
        self.settings = settings
        self.contrasts: dict[str, Contrast] = {}
        self.estimates: dict[str, Estimate] = {}
        self.every = Contrast()  # all languages together
        self.shares: dict[str, float] = {}  # in the language, running mean with weight `RECENT` on the past
        self.seen: dict[str, float] = {}  # the shares before this step

    def observe(self, observed: Observed) -> None:
        self._settle()
        groups: dict[tuple[str, Hashable], Counter[tuple[bool, bool]]] = {}
        for reward, correct, spoken, language, group in zip(
            observed.rewards, observed.correct, observed.reasoning, observed.query, observed.groups, strict=True
        ):
            if reward is not None:
                groups.setdefault((language, group), Counter())[spoken == language, correct] += 1
        for language in dict.fromkeys(language for language, _ in groups):
            self.contrasts.setdefault(language, Contrast()).fade(self.settings.of(language).memory)
        for (language, _), n in groups.items():
            n_in = n[True, True] + n[True, False]
            n_out = n[False, True] + n[False, False]
            self.contrasts[language].add(n_in, n_out, n[True, True], n[False, True])
        inside: dict[str, list[bool]] = {}
        for spoken, language in zip(observed.reasoning, observed.query, strict=True):
            inside.setdefault(language, []).append(spoken == language)
        for language, hits in inside.items():
            share = sum(hits) / len(hits)
            self.shares[language] = RECENT * self.shares.get(language, share) + (1 - RECENT) * share

    def factor(self, progress: float, language: str) -> float:
        own = self.settings.of(language)
        estimated = self._estimate(language)
        share = self.seen.get(language, own.keep)
        needed = 1.0 - share / own.keep if own.keep else 0.0
        growth = max(own.growth(progress), needed)
        return growth * min(own.maximum, max(0.0, estimated.bonus + own.margin / estimated.accuracy_in))

    def exploration(self, progress: float, language: str) -> float:
        own = self.settings.of(language)
        if own.observed == 0 or language not in self.seen:
            return 0.0
        rarer = min(self.seen[language], 1.0 - self.seen[language])
        return (1.0 - own.rise(progress)) * max(0.0, 1.0 - rarer / own.observed)

    def metrics(self) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for language, values in sorted(self.estimates.items()):
            metrics |= {
                f"accuracy_in/{language}": values.accuracy_in,
                f"accuracy_out/{language}": values.accuracy_out,
                f"critical_bonus/{language}": values.bonus,
            }
            if math.isfinite(values.error):
                metrics[f"critical_bonus_error/{language}"] = values.error
        return metrics

    def state_dict(self) -> dict[str, Any]:
        contrasts = {language: dict(vars(contrast)) for language, contrast in self.contrasts.items()}
        return {"contrasts": contrasts, "shares": dict(self.shares)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.contrasts = {language: Contrast(**sums) for language, sums in state.get("contrasts", {}).items()}
        self.shares = dict(state.get("shares", {}))

    def _settle(self) -> None:
        """Estimates for the step that begins, from what the steps before it left."""
        self.every = total(self.contrasts.values())
        self.estimates = {
            language: estimate(own, self.every, self.settings.of(language).shrinkage)
            for language, own in self.contrasts.items()
        }
        self.seen = dict(self.shares)

    def _estimate(self, language: str) -> Estimate:
        return self.estimates.get(language) or estimate(Contrast(), self.every, self.settings.of(language).shrinkage)
