"""What a verdict is, and how answers are graded; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Where an answer is looked for, in this order (`src.grading.extract`).
RULES = {
    "strict": ("box",),
    "flexible": ("box", "announced", "whole", "last_number"),
}


class Status(StrEnum):
    """What came of grading one completion. Only `RIGHT` counts as correct; none is silently another."""

    RIGHT = "right"
    WRONG = "wrong"
    UNPARSED = "unparsed"  # no `</think>`, no complete box after it, or a box that cannot be read
    TIMEOUT = "timeout"
    ERROR = "error"  # the comparison ended with an exception or out of memory


@dataclass(frozen=True)
class Grade:
    """`answer` is the normalised answer, None when there was none; `rule` the rule of extraction that gave it."""

    status: Status
    answer: str | None
    rule: str


@dataclass(frozen=True)
class GraderSpec:
    """`rules` names where an answer is looked for (`RULES`). `timeout` is in seconds of processor time
    for one comparison, `memory_megabytes` for each worker. `packages` is a folder with the package whose own scorers grade
    (`src.grading.tasks`), where that is not installed."""

    rules: str = "strict"
    workers: int = 1
    timeout: float = 3.0
    memory_megabytes: int = 2048
    packages: str | None = None

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.rules not in RULES:
            violations.append(f"grader.rules must be one of {', '.join(RULES)}; got {self.rules!r}")
        if self.workers < 1:
            violations.append(f"grader.workers must be at least 1; got {self.workers}")
        if self.timeout <= 0:
            violations.append(f"grader.timeout must be above 0 seconds; got {self.timeout}")
        if self.memory_megabytes < 512:
            violations.append(
                f"grader.memory_megabytes must be at least 512, which sympy needs; got {self.memory_megabytes}"
            )
        return violations
