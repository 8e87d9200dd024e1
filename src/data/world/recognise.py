"""The way back from text of the embedded world: to the problem of a question, and to the steps of a trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from src.data.world.grammar import ITEMS, OPERATIONS, Templates, WorldLanguage
from src.data.world.problems import Problem
from src.data.world.render import world_language, world_languages

ROLES = ("start", *OPERATIONS, "close")
_NUMBER = re.compile(r"\d+")
_EQUATION = re.compile(r"\d+[+\-x]\d+=\d+")


@dataclass(frozen=True)
class Step:
    """A sentence of a trace: its role, the number in it, its equation where it has one, and the thing that is counted, where
    it names that (empty: it need not)."""

    role: str
    number: int
    equation: str
    item: str


@lru_cache(maxsize=100_000)
def problem_of(question: str, code: str) -> Problem | None:
    """The problem that `question` asks in language `code`, in the wordings of training or in those held out; None where it is
    not one of the world's."""
    if code not in world_languages():
        return None
    language = world_language(code)
    for templates in (language.question, language.held_out):
        for name in language.names:
            for item in ITEMS:
                fill = _filler(language, templates, name, item)
                for rest, start, _ in fill(question, ("start",)):
                    for operations in _operations(rest, language.joiner, fill):
                        return Problem(start, operations, item)
    return None


@lru_cache(maxsize=100_000)
def step_of(line: str, code: str) -> Step | None:
    """The step that a line of a trace in language `code` takes, right or wrong; None where it is none of the world's."""
    if code not in world_languages():
        return None
    language = world_language(code)
    numbers = list(dict.fromkeys(int(digits) for digits in _NUMBER.findall(line) if len(digits) < 10))
    equation = _EQUATION.search(line)
    steps: dict[tuple[str, int], list[str]] = {}
    for role in ROLES:
        for template in getattr(language.reasoning, role):
            if ("{equation}" in template) != (equation is not None):
                continue
            for number in numbers:
                for item in ITEMS:
                    forms = language.forms(number, language.nouns[item])
                    if line == template.format(n=number, equation=equation[0] if equation else "", **forms):
                        steps.setdefault((role, number), []).append(item)
    if not steps:
        return None
    (role, number), items = next(iter(steps.items()))
    return Step(role, number, equation[0] if equation else "", items[0] if len(items) == 1 else "")


Fill = Callable[[str, tuple[str, ...]], Iterator[tuple[str, int, str]]]


def _filler(language: WorldLanguage, templates: Templates, name: str, item: str) -> Fill:
    """What follows the first sentence of a text, its number and its role, for every template of some roles that fits."""
    noun = language.nouns[item]

    def fill(text: str, roles: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
        digits = _NUMBER.search(text)
        number = int(digits[0]) if digits and len(digits[0]) < 10 else 0
        for role in roles:
            for template in getattr(templates, role):
                sentence = template.format(name=name, n=number, **language.forms(number, noun))
                if text.startswith(sentence):
                    yield text[len(sentence) :], number, role

    return fill


def _operations(text: str, joiner: str, fill: Fill) -> Iterator[tuple[tuple[str, int], ...]]:
    """The operations that `text` may name, up to the question that ends it."""
    if not text.startswith(joiner):
        return
    text = text.removeprefix(joiner)
    for rest, number, role in fill(text, (*OPERATIONS, "close")):
        if role == "close":
            if not rest:
                yield ()
        else:
            yield from (((role, number), *others) for others in _operations(rest, joiner, fill))
