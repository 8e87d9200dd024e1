"""Translate the question, then solve the translation; into a language drawn at random it is xCoT's Random-CoT (2401.07037)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from src.common.seeds import derive_seed
from src.data.records import Question
from src.language.phrases import PHRASES, TRANSLATE
from src.language.table import language
from src.strategies.base import Ask, message, translation_in, unknown


@dataclass(frozen=True)
class Translate:
    """Each sample has the question translated into one of the `targets`, drawn at random where there are several. In the
    second round the translation stands in place of the question; where none came, the question itself.

    `answer` is the language of the second round's words, empty for the target's. `thinks`: a reply may begin with a trace."""

    targets: list[str] = field(default_factory=lambda: ["en"])
    answer: str = ""
    thinks: bool = True

    rounds: ClassVar[int] = 2
    shared: ClassVar[bool] = False

    def __call__(self, question: Question, instruction: str, sample: int, seed: int, replies: Sequence[str]) -> Ask:
        target = self.targets[derive_seed("target", seed, sample) % len(self.targets)]
        if not replies:
            return Ask((f"{TRANSLATE.format(target=language(target).name)}\n\n{question.question}",))
        text = translation_in(replies[0], self.thinks)
        own = target if text else question.language
        translated = replace(question, question=text or question.question, language=self.answer or own)
        line = PHRASES[self.answer].think_in if self.answer and self.answer != own else ""
        return Ask((message(translated, instruction, line),))

    def violations(self) -> list[str]:
        return unknown("targets", self.targets) + (unknown("answer", [self.answer]) if self.answer else [])
