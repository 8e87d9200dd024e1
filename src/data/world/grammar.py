"""What one natural language contributes to the embedded world: its words, its agreement and its sentences.

A language is one file in `src/data/world/languages/` that defines `LANGUAGE = WorldLanguage(...)`. A fluent
reader checks or extends it without reading anything else; `python -m src preview fr` prints samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

OPERATIONS = ("gain", "lose", "times")

# The things that are counted, in the order in which world sizes take them. Every language names all of them.
ITEMS = ("apple", "book", "egg", "ball", "flower", "coin", "pencil", "orange", "stone", "cup", "fish", "hat")


@dataclass(frozen=True)
class Noun:
    """One countable thing: its inflected `forms` (the language's file says which), counter and gender."""

    forms: tuple[str, ...]
    counter: str = ""
    gender: str = ""


@dataclass(frozen=True)
class Templates:
    """Sentence templates by role; each role holds one or more paraphrases.

    Fields available in every template: `{name}` (the person), `{n}` (the operand, digits), and whatever the
    language's `forms` returns for that operand (`{count}`, `{items}`, `{how_many}`, ...). Reasoning templates
    also have `{equation}`, for example `4+8=12`; `close` has `{n}` and the forms of the final result.
    """

    start: tuple[str, ...]
    gain: tuple[str, ...]
    lose: tuple[str, ...]
    times: tuple[str, ...]
    close: tuple[str, ...]  # in a question: the question itself; in reasoning: the concluding sentence


def forms_with_gender(masculine: str, feminine: str) -> Callable[[int, Noun], dict[str, str]]:
    """The `forms` of a language whose nouns have a singular, for 1, and a plural, and whose interrogative agrees with their
    gender: `masculine` and `feminine` begin the question, and `how_many_within` is the same inside a sentence."""

    def forms(number: int, noun: Noun) -> dict[str, str]:
        singular, plural = noun.forms
        how_many = masculine if noun.gender == "m" else feminine
        return {
            "count": f"{number} {singular if number == 1 else plural}",
            "items": plural,
            "how_many": f"{how_many} {plural}",
            "how_many_within": f"{how_many.lower()} {plural}",
        }

    return forms


@dataclass(frozen=True)
class WorldLanguage:
    """A natural language of the world.

    `forms(number, noun)` returns at least `count` (number and noun, agreeing), `items` (the noun where no number
    stands) and `how_many` (the agreeing interrogative with the noun). `held_out` paraphrases the question in
    wordings that SFT and RL never show: they make the template-shift test. `joiner` stands between the sentences
    of a question.
    """

    code: str
    names: tuple[str, ...]
    nouns: Mapping[str, Noun]
    forms: Callable[[int, Noun], dict[str, str]]
    question: Templates
    held_out: Templates
    reasoning: Templates
    joiner: str = " "
