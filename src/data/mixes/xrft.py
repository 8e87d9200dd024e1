"""Rejection sampling, xRFT of MathOctopus (2310.20246): right answers of the model itself beside the examples."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import ClassVar

from src.common.seeds import derive_seed
from src.data.mixes.base import Material, thought_of, unknown
from src.data.records import Example

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Xrft:
    """The rows, and of the samples at most `per_question` for each question. Of samples whose traces have the same numbers in the same
    order one is kept: they are one way to the answer. The seed decides which."""

    per_question: int = 4
    languages: list[str] = field(default_factory=list)

    parallel: ClassVar[bool] = False
    samples: ClassVar[bool] = True
    pivots: ClassVar[tuple[str, ...]] = ()

    def __call__(self, material: Material, seed: int) -> list[Example]:
        ways: dict[tuple[str, str], dict[tuple[str, ...], Example]] = defaultdict(dict)
        samples = [row for row in material.samples if not self.languages or row.language in self.languages]
        for row in sorted(samples, key=lambda row: derive_seed("samples", seed, row.question, row.completion)):
            ways[row.language, row.question].setdefault(steps(row.completion), row)
        kept = {id(row) for question in ways.values() for row in list(question.values())[: self.per_question]}
        return material.within(self.languages) + [row for row in samples if id(row) in kept]

    def violations(self) -> list[str]:
        few = [] if self.per_question >= 1 else [f"mix.per_question must be at least 1; got {self.per_question}"]
        return few + unknown(("languages", code) for code in self.languages)


def steps(completion: str) -> tuple[str, ...]:
    """The numbers of a trace in order, in any script's digits: what tells one way to an answer from another.

    >>> steps("2+3=5, so 5.</think>5") == steps("२+३=५ → ५</think>") != steps("3+2=5, so 5</think>")
    True
    """
    return tuple(str(int(number)) for number in _NUMBER.findall(thought_of(completion)[0]))
