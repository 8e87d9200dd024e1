"""The embedded world as its own judge, embedder and translator: exact where it can be, the same on every machine, free."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

from src.data.world import render
from src.data.world.problems import Problem
from src.data.world.recognise import Step, problem_of, step_of
from src.services.base import Answers, Pair, Passage
from src.services.embedder import cosine, unit

DIMENSIONS = 512
OF_NUMBERS = 0.5  # weight of an equation beside that of all letters
_RESULT = re.compile(r"=(\d+)(?!\d)")
_NUMBER = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")


class WorldJudge:
    """See `src.services.base.Scorer`: the share of the results of the reference's equations that equations of the text come
    to."""

    def __call__(self, pairs: Sequence[Pair], step: int) -> Answers[float]:
        return Answers([_share(pair) for pair in pairs])


class WorldEmbedder:
    """See `src.services.base.Scorer`: the cosine of counts of letters, three in a row, and of numbers.

    As with learned embeddings the language makes most of it: of one language, a text with the right numbers is nearer to
    the reference than one with others; of two, a text in the reference's language is nearer, whatever it says.
    """

    def __call__(self, pairs: Sequence[Pair], step: int) -> Answers[float]:
        return Answers([cosine(_vector(pair.text), _vector(pair.reference)) for pair in pairs])


class WorldTranslator:
    """See `src.services.base.Translator`: questions and traces sentence by sentence, in the first wording of the target. A
    line that is none of the world's stays as it is."""

    def __call__(self, passages: Sequence[Passage], step: int) -> Answers[str]:
        return Answers([translated(passage) for passage in passages])


def reference(problem: Problem, code: str) -> str:
    """The reasoning about a problem in the first wording of language `code`."""
    return render.reasoning(problem, code, _First())


def rendered(question: str, problem: Problem, code: str) -> str:
    """The problem of a `question` asked in language `code`: the same text whenever it is asked for."""
    return render.question(problem, code, random.Random(f"translation/{question}"))


def translated(passage: Passage) -> str | None:
    """The passage in its target language; None where the world has not both languages."""
    if not {passage.source, passage.target} <= set(render.world_languages()):
        return None
    if (problem := problem_of(passage.text, passage.source)) is not None:
        return rendered(passage.text, problem, passage.target)
    lines = passage.text.splitlines()
    steps = [_step(line.strip(), passage) for line in lines]
    items = [step.item for step in steps if step is not None and step.item]
    item = items[0] if items else ""
    return "\n".join(
        line if step is None else _sentence(step, step.item or item, passage.target)
        for line, step in zip(lines, steps, strict=True)
    )


def _step(line: str, passage: Passage) -> Step | None:
    """What a line says, in the source language or in any other that the trace may have changed to."""
    others = (code for code in render.world_languages() if code != passage.source)
    return next((step for code in (passage.source, *others) if (step := step_of(line, code)) is not None), None)


def _sentence(step: Step, item: str, code: str) -> str:
    language = render.world_language(code)
    noun = language.nouns[item or next(iter(language.nouns))]
    template: str = getattr(language.reasoning, step.role)[0]
    return template.format(n=step.number, equation=step.equation, **language.forms(step.number, noun))


def _share(pair: Pair) -> float | None:
    """None where the reference has no result to look for."""
    wanted = _RESULT.findall(pair.reference)
    there = set(_RESULT.findall(pair.text))
    return sum(result in there for result in wanted) / len(wanted) if wanted else None


@lru_cache(maxsize=10_000)
def _vector(text: str) -> tuple[float, ...]:
    letters = Counter(
        word[start : start + 3]
        for word in (f" {word} " for word in _LETTERS.findall(text.lower()))
        for start in range(max(1, len(word) - 2))
    )
    numbers = Counter(_NUMBER.findall(text))
    total = [0.0] * DIMENSIONS
    for counts, weight in ((letters, 1.0), (numbers, OF_NUMBERS)):
        own = [0.0] * DIMENSIONS
        for feature, count in counts.items():
            own[crc32(feature.encode(errors="replace")) % DIMENSIONS] += count
        total = [whole + weight * part for whole, part in zip(total, unit(own), strict=True)]
    return tuple(unit(total))


class _First(random.Random):
    """Chooses the first of everything."""

    def choice(self, seq: Sequence[str]) -> str:  # type: ignore[override]
        return seq[0]
