"""Settings of the prompts stage (`conf/experiment/prompts.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from src.data.question_sets import identity


@dataclass(frozen=True)
class DifficultySpec:
    """Prompts are kept that the model answers right in `minimum` to `maximum` (null: all but one) of `rollouts` rollouts;
    0 rollouts: no such filter. `questions_per_part` are rolled out, judged and kept at a time. `samples`: of each question, also
    of those that are dropped, so many right rollouts in its language are left as worked examples (`data.samples`)."""

    rollouts: int = 0
    minimum: int = 1
    maximum: int | None = None
    questions_per_part: int = 64
    samples: int = 0

    @property
    def highest(self) -> int:
        """`maximum`, with its default filled in."""
        return self.rollouts - 1 if self.maximum is None else self.maximum

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if not 0 <= self.samples <= self.rollouts:
            violations.append(
                f"prompts.difficulty.samples must be from 0 to rollouts; got {self.samples} and {self.rollouts}"
            )
        if self.rollouts == 0:
            return violations
        if not 0 <= self.minimum <= self.highest <= self.rollouts:
            violations.append(
                "prompts.difficulty must have 0 <= minimum <= maximum <= rollouts (maximum null: rollouts - 1); got "
                f"{self.minimum}, {self.maximum} and {self.rollouts}"
            )
        if self.questions_per_part < 1:
            violations.append(
                f"prompts.difficulty.questions_per_part must be at least 1; got {self.questions_per_part}"
            )
        return violations


@dataclass(frozen=True)
class PromptsSpec:
    """`sources` names sets (`src/data/question_sets.py`), of which those in `languages` (empty: all) are taken, the first
    `problems` of each language (null: all). `against` names sets of which no problem may stand in the result.
    `translations` says whether a problem stays in `one` of its languages, chosen to balance them, or in `all`.
    `balance` is `none`, or `smallest`: every language is cut to the size of the smallest; `per_language` is a limit of its
    own."""

    sources: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    problems: int | None = None
    against: list[str] = field(default_factory=list)
    translations: str = "one"
    difficulty: DifficultySpec = field(default_factory=DifficultySpec)
    balance: str = "none"
    per_language: int | None = None

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if not self.sources:
            violations.append(
                'prompts.sources must name at least one set, such as ["dapo_math@train_5k=<folder>"]; got none'
            )
        if self.translations not in ("one", "all"):
            violations.append(f"prompts.translations must be one or all; got {self.translations!r}")
        if self.balance not in ("none", "smallest"):
            violations.append(f"prompts.balance must be none or smallest; got {self.balance!r}")
        for name in ("problems", "per_language"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                violations.append(f"prompts.{name} must be at least 1, or null for all; got {getattr(self, name)}")
        return violations + self.difficulty.violations()

    def identity(self) -> dict[str, Any]:
        """What the result depends on: sets by what is in them; `samples`, which came later, only where it is used."""
        sets = {name: [identity(item) for item in getattr(self, name)] for name in ("sources", "against")}
        settings = asdict(self) | sets
        if not self.difficulty.samples:
            del settings["difficulty"]["samples"]
        return settings
