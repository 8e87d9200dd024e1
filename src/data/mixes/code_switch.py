"""Sentences of the trace in two languages by turns: xCoT's code-switched demonstrations (2401.07037), and what PCS (2607.00485)
starts from."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from src.common.seeds import derive_seed
from src.data.mixes.base import Material, WithPivot, either, thought_of
from src.data.mixes.sentences import lines_of, switched
from src.data.records import Example


@dataclass(frozen=True)
class CodeSwitch(WithPivot):
    """The trace of the `pivot`, with the share `ratio` of its sentences in the language of the question, drawn by the seed; question
    and answer are in that language. Sentences are lines: traces of a pair with unequal numbers of lines give no example."""

    ratio: float = 0.5

    def __call__(self, material: Material, seed: int) -> list[Example]:
        made = [self._of(row, other, seed) for row, other in self.pairs(material)]
        return [row for row in made if row is not None]

    def _of(self, row: Example, other: Example, seed: int) -> Example | None:
        trace, rest = thought_of(row.completion)
        own, theirs = lines_of(trace), lines_of(thought_of(other.completion)[0])
        if len(own) != len(theirs):
            return None
        order = list(range(len(own)))
        random.Random(derive_seed("switch", seed, row.language, row.problem)).shuffle(order)
        lines = switched(theirs, own, self.ratio, order)
        return replace(row, completion="\n".join(lines) + rest, trace_language=either(row.language, self.pivot))

    def violations(self) -> list[str]:
        wrong = [] if 0 <= self.ratio <= 1 else [f"mix.ratio is a share in [0, 1]; got {self.ratio}"]
        return wrong + super().violations()
