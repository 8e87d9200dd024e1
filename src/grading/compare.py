"""Does an answer say what the gold answer says? Numbers, words and lists here; formulas by whoever is asked.

The verdict is one of the words of `Status`, or None where only `formula` could tell and none was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from src.grading.choices import letter
from src.grading.numbers import gold_value, is_product, readings
from src.grading.published import compare_published

Formula = Callable[[str, str], str]  # (gold, answer) -> status word
RIGHT, WRONG, UNPARSED = "right", "wrong", "unparsed"
_NAME = re.compile(r"\s*([A-Za-z])\s*=(?!=)")
_VARIABLE = re.compile(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])")  # a letter by itself
_BASE = re.compile(r"([0-9A-Za-z]{1,30})_\{?\s*(\d{1,2})\s*\}?")
_READABLE = re.compile(r"[0-9A-Za-z\\]")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_PHRASE = re.compile(r"(?=.*[^\W\d_]{2})[\w\s.,'’()-]+")
_AND = re.compile(r"\s+(?:and|et|und|y|e|и|dan|na|và|or|ou|o|oder|или)\s+(?=[-\d\\(x])")
_WORDS = re.compile(r"[^\W\d_]+(?:[\s'’.-]+[^\W\d_]+)*")
_BRACE = re.compile(r"\\[{}]|[{}]")
_OPEN, _CLOSE = "([{", ")]}"
_DEPTH = 50  # lists in lists: deeper ones are left to `formula`, which has its own limits


def compare(
    gold: str, answer: str, language: str = "en", kind: str = "expression", formula: Formula | None = None
) -> str | None:
    """The verdict on two normalised texts; `language` is the one the answer was asked for in.

    Args:
        kind: `expression`, `choice` (the letter of an option), or `published` (see `src.grading.published`).
        formula: compares two texts that are neither numbers nor words nor lists of those (math-verify, in a worker).
    """
    if kind == "published":
        return compare_published(gold, answer, formula)
    if not answer or not gold or not (_balanced(gold) and _balanced(answer)):
        return UNPARSED
    if kind == "choice":
        wanted, given = letter(gold), letter(answer)
        return UNPARSED if wanted is None or given is None else _word(wanted == given)
    return _compare(gold, answer, language, formula, _DEPTH)


def _compare(gold: str, answer: str, language: str, formula: Formula | None, depth: int) -> str | None:
    names = _NAME.match(gold), _NAME.match(answer)
    if names[0] and names[1] and names[0][1] != names[1][1]:
        return WRONG
    special = _special(gold, answer)
    if special is not None:
        return _word(special)
    value = gold_value(gold, language)
    if value is not None:
        values = readings(answer, language)
        if values:
            percent = "%" in gold and "%" not in answer and any(100 * x == value for x in values)
            return _word(value in values or percent)
        if not _READABLE.search(answer):
            return UNPARSED
        if "=" in answer:
            return _equation(gold, answer, language, formula, depth)
    elif _WORDS.fullmatch(gold) and len(gold) > 1:
        if _WORDS.fullmatch(answer):
            same = _plain_words(gold) == _plain_words(answer)
            if same or len(gold) > 3 or not gold.isascii():  # xy and yx may be products
                return _word(same)
    else:
        wanted, given = _listed(gold), _listed(answer)
        if depth and wanted and given and len(wanted[1]) > 1:
            return _lists(wanted, given, language, formula, depth - 1)
        if _PHRASE.fullmatch(gold) and _plain_words(gold) == _plain_words(answer):
            return RIGHT
    if "$" in answer:  # two formulas side by side: math-verify would take the last
        return UNPARSED
    return formula(gold, answer) if formula is not None else None


def _special(gold: str, answer: str) -> bool | None:
    """Numerals with a base (52_8) and times of day (3:30) are compared as they are written, and a product (5ab) is no
    number, which math-verify would have it be; None for the rest."""
    if is_product(gold) != is_product(answer) and (gold.isdigit() or answer.isdigit()):
        return False
    for pattern in (_BASE, _TIME):
        one, other = pattern.fullmatch(gold.strip("()")), pattern.fullmatch(answer.strip("()"))
        if one and other:
            return [int(x, 36) for x in one.groups()] == [int(x, 36) for x in other.groups()]
        if other and gold.isdigit():
            return False
    return None


def _equation(gold: str, answer: str, language: str, formula: Formula | None, depth: int) -> str | None:
    """An answer such as `3 + 2 = 5`: every side that has no variable must be the gold answer; math-verify reads one."""
    sides = [side.strip() for side in answer.split("=")]
    sides = [side for side in sides if side and not _VARIABLE.search(side)]
    if not sides or not depth:
        return formula(gold, answer) if formula is not None else None
    verdicts = [_compare(gold, side, language, formula, 0) for side in sides]
    return WRONG if WRONG in verdicts else next((word for word in verdicts if word != RIGHT), RIGHT)


def _lists(
    wanted: tuple[str, list[str]], given: tuple[str, list[str]], language: str, formula: Formula | None, depth: int
) -> str | None:
    """`(a, b)`, `[a, b)` in order and with the same brackets; `{a, b}` and bare `a, b` in any order."""
    brackets, gold_elements = wanted
    other, answer_elements = given
    ordered = brackets not in ("", "{}")
    if len(gold_elements) != len(answer_elements) or (ordered and other not in (brackets, "")):
        return WRONG
    verdict: str | None = RIGHT
    free = list(range(len(answer_elements)))
    for place, element in enumerate(gold_elements):
        words: list[str | None] = []
        match = None
        for j in [place] if ordered else free:
            words.append(_compare(element, answer_elements[j], language, formula, depth))
            if words[-1] == RIGHT:
                match = j
                break
        if match is not None:
            free.remove(match)
        elif all(word == WRONG for word in words):
            return WRONG
        else:
            verdict = next(word for word in words if word != WRONG)
            if ordered:
                free.remove(place)
    return verdict


def _listed(text: str) -> tuple[str, list[str]] | None:
    """(brackets, elements) of a list, brackets being two signs or empty; None when the text is no list.

    Semicolons separate where there are any, else commas before a blank where others stand within numbers.
    """
    inner = _AND.sub(", ", text.strip())
    brackets = ""
    if inner and inner[0] in "[]" and inner[-1] in "[]" and (inner[0] == "]" or inner[-1] == "["):  # ]0, 1]
        inner = ("(" if inner[0] == "]" else "[") + inner[1:-1] + (")" if inner[-1] == "[" else "]")
    if inner.startswith("\\{") and inner.endswith("\\}"):
        inner = inner[2:-2]
        brackets = "{}"
    elif inner and inner[0] in _OPEN and inner[-1] in _CLOSE and _encloses(inner):
        brackets = inner[0] + inner[-1]
        inner = inner[1:-1]
    cuts: dict[str, list[int]] = {";": [], ", ": [], ",": []}
    depth = 0
    for position, sign in enumerate(inner):
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth -= 1
        elif sign in ",;" and depth == 0:
            cuts[sign].append(position)
            if inner[position : position + 2] == ", ":
                cuts[", "].append(position)
    places = cuts[";"] or cuts[", "] or cuts[","]
    edges = [-1, *places, len(inner)]
    parts = [inner[start + 1 : stop].strip() for start, stop in pairwise(edges)]
    return (brackets, parts) if all(parts) and (brackets or len(parts) > 1) else None


def _encloses(text: str) -> bool:
    """Whether the first bracket is closed by the last sign."""
    depth = 0
    for position, sign in enumerate(text):
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if depth == 0:
            return position == len(text) - 1
    return False


def _balanced(text: str) -> bool:
    """Whether every brace is closed; math-verify would compare what is left over as a string."""
    depth = 0
    for mark in _BRACE.findall(text):
        depth += (mark == "{") - (mark == "}")
        if depth < 0:
            return False
    return depth == 0


def _plain_words(text: str) -> str:
    return " ".join(re.sub(r"[\s.-]+", " ", text).casefold().split())


def _word(same: bool) -> str:
    return RIGHT if same else WRONG
