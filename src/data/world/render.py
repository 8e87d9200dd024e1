"""From a problem to text in a language: the question, and the reasoning that answers it."""

from __future__ import annotations

import importlib
import pkgutil
import random
from functools import cache

from src.data.world import languages
from src.data.world.grammar import Templates, WorldLanguage
from src.data.world.problems import SIGNS, Problem


def world_languages() -> tuple[str, ...]:
    """The codes of all languages of the world, sorted: a file each."""
    return tuple(sorted(info.name for info in pkgutil.iter_modules(languages.__path__)))


@cache
def world_language(code: str) -> WorldLanguage:
    """The language's file, `src/data/world/languages/<code>.py`."""
    try:
        module = importlib.import_module(f"src.data.world.languages.{code}")
    except ModuleNotFoundError:
        raise ValueError(
            f"the embedded world has no language {code!r}: add src/data/world/languages/{code}.py"
        ) from None
    contribution: WorldLanguage = module.LANGUAGE
    if contribution.code != code:
        raise ValueError(
            f"src/data/world/languages/{code}.py must define the language {code!r}; its code is {contribution.code!r}"
        )
    return contribution


def question(problem: Problem, code: str, generator: random.Random, held_out: bool = False) -> str:
    """The word problem in language `code`; `held_out` takes the paraphrases reserved for the template-shift test."""
    language = world_language(code)
    templates = language.held_out if held_out else language.question
    name = generator.choice(language.names)
    noun = language.nouns[problem.item]

    def fill(role: str, number: int) -> str:
        return _pick(templates, role, generator).format(name=name, n=number, **language.forms(number, noun))

    sentences = [fill("start", problem.start)]
    sentences += [fill(operation, operand) for operation, operand in problem.operations]
    sentences.append(fill("close", problem.answer))
    return language.joiner.join(sentences)


def reasoning(problem: Problem, code: str, generator: random.Random) -> str:
    """The steps in language `code`, one sentence a line, each operation with its equation."""
    language = world_language(code)
    noun = language.nouns[problem.item]

    def fill(role: str, number: int, equation: str = "") -> str:
        template = _pick(language.reasoning, role, generator)
        return template.format(n=number, equation=equation, **language.forms(number, noun))

    lines = [fill("start", problem.start)]
    before = problem.start
    for (operation, operand), after in zip(problem.operations, problem.results(), strict=True):
        lines.append(fill(operation, operand, f"{before}{SIGNS[operation]}{operand}={after}"))
        before = after
    lines.append(fill("close", problem.answer))
    return "\n".join(lines)


def completion(problem: Problem, code: str, generator: random.Random) -> str:
    """What a model emits after an opened `<think>`: reasoning in `code`, `</think>`, the boxed answer."""
    return f"{reasoning(problem, code, generator)}\n</think>\\boxed{{{problem.answer}}}"


def _pick(templates: Templates, role: str, generator: random.Random) -> str:
    choices: tuple[str, ...] = getattr(templates, role)
    return generator.choice(choices)
