"""Translate where the question is not understood: Selective Translation (2510.27269)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from src.data.records import Question
from src.language.phrases import TRANSLATE
from src.language.table import language
from src.language.trace import split_trace
from src.strategies.base import Ask, Reply, message, translation_in, unknown

UNDERSTOOD = "As I understand it, the question is: “{question}” Let me solve it.\n"


@dataclass(frozen=True)
class Selective:
    """The question as it is; where the answer is doubted, its translation to the `pivot`; and the question again, with a thinking that
    begins with the translation. An answer is doubted where its trace does not close, or where the mean probability of its tokens
    is below `confidence`. A question in the pivot is asked once, and an answer that nobody doubts stands.

    `thinks`: a reply may begin with a trace."""

    pivot: str = "en"
    confidence: float = 0.8
    thinks: bool = True

    rounds: ClassVar[int] = 3
    shared: ClassVar[bool] = False

    def __call__(
        self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]
    ) -> Ask | None:
        if not replies:
            return Ask((message(question, instruction),))
        if question.language == self.pivot or not self._doubted(replies[0]):
            return None
        if len(replies) == 1:
            return Ask((f"{TRANSLATE.format(target=language(self.pivot).name)}\n\n{question.question}",))
        text = translation_in(replies[1], self.thinks) or question.question
        return Ask((message(question, instruction),), UNDERSTOOD.format(question=text))

    def _doubted(self, reply: str) -> bool:
        probability = reply.probability if isinstance(reply, Reply) else None
        unsure = probability is not None and probability < self.confidence
        return unsure or not split_trace(reply, self.thinks).closed

    def violations(self) -> list[str]:
        wrong = (
            [] if 0 <= self.confidence <= 1 else [f"strategy.confidence is a share in [0, 1]; got {self.confidence}"]
        )
        return wrong + unknown("pivot", [self.pivot])
