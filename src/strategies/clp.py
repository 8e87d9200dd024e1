"""Understand in one turn, solve in the next: cross-lingual prompting, CLP and CLSP (2310.14799)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from src.data.records import Question
from src.language.table import language
from src.strategies.base import Ask, unknown

EXPERT = "You are an expert in understanding many languages. The following request is in {source}."
UNDERSTAND = "Work out what it asks for, step by step in {target}. Do not solve it yet."
SOLVE = "Now you are an expert in arithmetic who thinks in {target}. Solve the task that you understood, step by step."
FORM = "Put the final answer in \\boxed{}."
CHOICE = "Put only the letter of the right option in \\boxed{}."


@dataclass(frozen=True)
class Clp:
    """Sample i is thought through in the i-th of the `targets`, which begin anew after the last."""

    targets: list[str] = field(default_factory=lambda: ["en"])

    rounds: ClassVar[int] = 2
    shared: ClassVar[bool] = False

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        target = language(self.targets[sample % len(self.targets)]).name
        expert = EXPERT.format(source=language(question.language).name)
        first = f"{expert}\n\n{question.question}\n\n{UNDERSTAND.format(target=target)}"
        if not replies:
            return Ask((first,))
        form = CHOICE if question.kind == "choice" else FORM
        return Ask((first, replies[0], f"{SOLVE.format(target=target)}\n{form}"))

    def violations(self) -> list[str]:
        return unknown("targets", self.targets)
