"""Settings of trace generation (`conf/experiment/traces.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from src.data.question_sets import identity
from src.services.spec import TeacherSpec


@dataclass(frozen=True)
class FilterSpec:
    """Which answers become examples. `minimum_language` is the share of the trace's letters, of sentences whose language
    is known, that must be in the language of the question; `maximum_foreign_script` the share of letters of another
    script. Lengths are of the whole completion (null: no limit). `maximum_repetition` is the largest share of runs of
    `repetition_words` words of the trace that stood in it before. `per_question` is how many examples of a question are
    kept, those with the lowest sample numbers (null: all)."""

    require_boxed: bool = True
    require_right: bool = True
    require_language: bool = True
    minimum_language: float = 0.9
    maximum_foreign_script: float = 0.1
    minimum_characters: int | None = None
    maximum_characters: int | None = None
    minimum_tokens: int | None = None
    maximum_tokens: int | None = None
    repetition_words: int = 8
    maximum_repetition: float = 0.3
    per_question: int | None = None

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        name = "traces.filter"
        for key in ("minimum_language", "maximum_foreign_script", "maximum_repetition"):
            if not 0 <= getattr(self, key) <= 1:
                violations.append(f"{name}.{key} is a share in [0, 1]; got {getattr(self, key)}")
        for unit in ("characters", "tokens"):
            low = getattr(self, f"minimum_{unit}")
            high = getattr(self, f"maximum_{unit}")
            if low is not None and high is not None and low > high:
                violations.append(f"{name}.minimum_{unit} must not be above maximum_{unit}; got {low} and {high}")
        if self.repetition_words < 1:
            violations.append(f"{name}.repetition_words must be at least 1; got {self.repetition_words}")
        if self.per_question is not None and self.per_question < 1:
            violations.append(f"{name}.per_question must be at least 1, or null for all; got {self.per_question}")
        return violations


@dataclass(frozen=True)
class TracesSpec:
    """`questions` names sets (`src/data/question_sets.py`): `mgsm@test`, `dapo_math@train_5k=<folder>`, `<file>.jsonl`. Of each,
    those in `languages` (empty: all) are asked, the first `problems` of each language (null: all). `validation_share` is
    the share of problems whose examples are kept apart, in all languages."""

    questions: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    problems: int | None = None
    validation_share: float = 0.05
    teacher: TeacherSpec = field(default_factory=TeacherSpec)
    filter: FilterSpec = field(default_factory=FilterSpec)

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if not self.questions:
            violations.append(
                'traces.questions must name at least one set, such as ["dapo_math@train_1k=<folder>"]; got none'
            )
        if self.problems is not None and self.problems < 1:
            violations.append(f"traces.problems must be at least 1, or null for all; got {self.problems}")
        if not 0 <= self.validation_share < 1:
            violations.append(f"traces.validation_share is a share in [0, 1); got {self.validation_share}")
        return violations + self.teacher.violations() + self.filter.violations()

    def identity(self) -> dict[str, Any]:
        """What the result depends on: sets by what is in them."""
        return asdict(self) | {"questions": [identity(name) for name in self.questions]}
