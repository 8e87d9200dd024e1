"""The question decides which language it is thought through in: LSKExtractor (2505.14990), AdaMCoT (2501.16154)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from src.common.errors import UserError
from src.data.records import Question
from src.language.phrases import PHRASES
from src.strategies.base import Ask, message
from src.strategies.routing import nearest, read_routes, vector


@dataclass(frozen=True)
class Route:
    """A line and the first words of the thinking are in the language that the table `routes` (`python -m src routes`) has for the cluster
    of the question: sample i takes the i-th of the `best`, which begin anew after the last. A question in a language that the table
    does not know is thought through in its own."""

    routes: str = ""
    best: int = 1

    rounds: ClassVar[int] = 1

    @property
    def shared(self) -> bool:
        return self.best == 1

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        phrases = PHRASES[self.languages(question)[sample % self.best]]
        return Ask((message(question, instruction, phrases.think_in),), phrases.opening + "\n")

    def languages(self, question: Question) -> list[str]:
        """The `best` languages to think in; where the table has fewer, they begin anew."""
        clusters = read_routes(self.routes).get(question.language, ())
        if not clusters:
            return [question.language] * self.best
        place = nearest(vector(question.question), [cluster.centre for cluster in clusters])
        known = clusters[place].languages
        return [known[number % len(known)] for number in range(self.best)]

    def identity(self) -> dict[str, object]:
        """What a result depends on: the table by its content."""
        content = hashlib.sha256(Path(self.routes).read_bytes()).hexdigest()[:16]
        return {"is": "Route", "routes": content, "best": self.best}

    def violations(self) -> list[str]:
        if self.best < 1:
            return [f"strategy.best must be at least 1; got {self.best}"]
        if not Path(self.routes).is_file():
            return [
                f"strategy.routes must be a table of routes; got {self.routes!r}. Make one with python -m src routes RUN"
            ]
        try:
            table = read_routes(self.routes)
        except UserError as error:
            return [f"strategy.routes: {error}"]
        codes = {code for clusters in table.values() for cluster in clusters for code in cluster.languages}
        return [f"strategy.routes: {code} is not among {', '.join(PHRASES)}" for code in sorted(codes - set(PHRASES))]
