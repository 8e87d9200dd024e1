"""Does an answer say what the gold answer says? Numbers, words and lists here; formulas by whoever is asked.

Equal means equal exactly, by whichever path: numbers as fractions, formulas by algebra (`src.grading.formula`). A decimal
is the number that it writes, so that 0.333 is not 1/3 and 1.4142 not the root of 2. The verdict is one of the words of
`Status`, or None where only `formula` could tell and none was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from src.grading.choices import same_option
from src.grading.clock import same_time, time_of_day
from src.grading.lists import listed
from src.grading.numbers import gold_value, in_words, is_product, readings
from src.grading.published import compare_published
from src.grading.tasks import KIND
from src.grading.units import without_last_unit

Formula = Callable[[str, str], str]  # (gold, answer) -> status word
RIGHT, WRONG, UNPARSED = "right", "wrong", "unparsed"
_BASE_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_BASES = {word: base for base, word in enumerate(_BASE_WORDS, start=2)} | {"sixteen": 16, "binary": 2, "octal": 8}
_BASE = re.compile(
    rf"\(?([0-9A-Za-z]{{1,30}})\)?(?:_\s*\{{?\s*\(?\s*(\d{{1,2}}|{'|'.join(_BASES)})\s*\)?\s*\}}?|\s+(?:in\s+)?base[ -](\d{{1,2}}|{'|'.join(_BASES)}))"
)
_READABLE = re.compile(r"[0-9A-Za-z\\]")
_PHRASE = re.compile(r"(?=.*[^\W\d_]{2})[\w\s.,'’()-]+")
_PHRASE_WORDS = 6  # a gold answer of more words with a number among them is a sentence, and none can equal it
_WORDS = re.compile(r"[^\W\d_]+(?:[\s'’.-]+[^\W\d_]+)*")
_BRACE = re.compile(r"\\[{}]|[{}]")
_RELATION = re.compile(r"(?<![<>!:=\\])=(?!=)")
_ANY_RELATION = re.compile(r"[=<>]|\\(?:le|ge|leq|geq|ne|neq|lt|gt|in|approx)(?![a-z])")
_NOT_ONE = re.compile(_ANY_RELATION.pattern + r"|\\cup(?![a-z])")
_APPROXIMATELY = re.compile(r"\\(?:approx|simeq|thickapprox)(?![a-z])")
_MEMBER = re.compile(r"\s*[A-Za-z]\s*\\in(?![a-z])\s*")
# What letters stand for in a formula that are no name: commands of functions, and the constants.
_FUNCTION = re.compile(
    r"\\(?:frac|sqrt|cdot|times|div|pm|mp|pi|infty|binom|log|ln|exp|sin|cos|tan|cot|sec|csc|arc[a-z]+|left|right|sum|prod|int|lim|max"
    r"|min|gcd|lcm|circ|text|mod|bmod|lfloor|rfloor|lceil|rceil|to|begin|end|[pbvB]?matrix|overline|bar|dot|ldots|dots|cdots)(?![a-zA-Z])"
)
_CONSTANT = re.compile(r"(?<![A-Za-z])[ei](?![A-Za-z])")
_LETTER = re.compile(r"[^\W\d_]|\\[a-zA-Z]+")
_DEPTH = 50  # lists in lists: deeper ones are left to `formula`, which has its own limits


def compare(
    gold: str, answer: str, language: str = "en", kind: str = "expression", formula: Formula | None = None
) -> str | None:
    """The verdict on two normalised texts; `language` is the one the answer was asked for in.

    Args:
        kind: `expression`, `choice` (the letter of an option), `published` (see `src.grading.published`), or `reasoning_gym`
            (see `src.grading.tasks`), of which `formula` is the scorer.
        formula: compares two texts that are neither numbers nor words nor lists of those (sympy, in a worker).
    """
    if kind == "published":
        return compare_published(gold, answer, formula)
    if kind == KIND:
        return UNPARSED if not answer else None if formula is None else formula(gold, answer)
    if not answer or not gold or not (_balanced(gold) and _balanced(answer)):
        return UNPARSED
    if kind == "choice":
        same = same_option(gold, answer)
        return UNPARSED if same is None else _word(same)
    return _compare(gold, answer, language, formula, _DEPTH)


def _compare(gold: str, answer: str, language: str, formula: Formula | None, depth: int) -> str | None:
    special = _special(gold, answer)
    if special is not None:
        return _word(special)
    value = gold_value(gold, language)
    values = readings(answer, language) if value is not None else ()
    if values:
        percent = "%" in gold and "%" not in answer and any(100 * x == value for x in values)
        return _word(value in values or percent)
    if value is None and _WORDS.fullmatch(gold) and len(gold) > 1:
        if _WORDS.fullmatch(answer):
            same = _plain_words(gold) == _plain_words(answer)
            if same or len(gold) > 3 or not gold.isascii():  # xy and yx may be products
                return _word(same)
    elif depth:
        wanted, given = listed(gold, language), listed(answer, language)
        if wanted and len(wanted[1]) > 1:
            if given:
                return _lists(wanted, given, language, formula, depth - 1)
        elif given and not given[0] and not _NOT_ONE.search(gold):
            return _only(gold, given[1], language, formula, depth - 1)
        if value is None and _PHRASE.fullmatch(gold) and _plain_words(gold) == _plain_words(answer):
            return RIGHT if len(gold.split()) <= _PHRASE_WORDS or not any(map(str.isdigit, gold)) else UNPARSED
    if _ANY_RELATION.search(answer) or _ANY_RELATION.search(gold):
        parted = _equations(gold, answer, language, formula, depth)
        if parted != "":
            return parted
    if value is not None and not _READABLE.search(answer):
        return UNPARSED
    if "$" in answer or in_words(answer):  # formulas side by side, or a number that a word changes
        return UNPARSED
    return _formula(gold, answer, formula)


def _formula(gold: str, answer: str, formula: Formula | None) -> str | None:
    if formula is None:
        return None
    gold, answer = without_last_unit(gold), without_last_unit(answer)
    if answer.endswith("%") and not gold.endswith("%"):
        verdict = formula(gold, answer.removesuffix("%"))
        return verdict if verdict == RIGHT else formula(gold, f"\\frac{{{answer.removesuffix('%')}}}{{100}}")
    return formula(gold.removesuffix("%"), answer.removesuffix("%"))


def _special(gold: str, answer: str) -> bool | None:
    """Numerals with a base (52_8) and times of day (3:30) are compared as they are written, and a product (5ab) is no
    number; None for the rest."""
    if is_product(gold) != is_product(answer) and (gold.isdigit() or answer.isdigit()):
        return False
    one, other = _based(gold), _based(answer)
    if one and other:
        return one == other
    if other and gold.isdigit():
        return False
    if ":" in gold or (":" in answer and gold.isdigit()):
        wanted, given = time_of_day(gold), time_of_day(answer)
        if wanted and given:
            return same_time(wanted, given)
        if given and gold.isdigit():
            return False
    return None


def _based(text: str) -> tuple[int, int] | None:
    """(digits in base 36, base) of a numeral with its base."""
    match = _BASE.fullmatch(text)
    if not match:
        return None
    base = match[2] or match[3]
    return int(match[1], 36), int(base) if base.isdigit() else _BASES[base]


def _equations(gold: str, answer: str, language: str, formula: Formula | None, depth: int) -> str | None:
    """The verdict where an answer is an equation for a gold value, or the other way round; empty where neither is.

    Of `S = a + b = 2 + 3 = 5` every side that is no name must be the gold answer. Names of the two must not differ.
    """
    if not depth:
        return ""
    if _APPROXIMATELY.search(answer):  # x = \sqrt{2} \approx 1.41: the first value counts
        about = [side.strip() for side in _APPROXIMATELY.split(answer)]
        answer = next((side for side in about if _has_value(side)), about[0])
        if not answer:
            return UNPARSED
    if not _ANY_RELATION.search(gold):
        member = _MEMBER.match(answer)
        if member:
            return _compare(gold, answer[member.end() :], language, formula, 0)
        sides = [side.strip() for side in _RELATION.split(answer)]
        if len(sides) < 2:
            return "" if _ANY_RELATION.search(answer) else _compare(gold, answer, language, formula, depth - 1)
        if any(_ANY_RELATION.search(side) for side in sides):
            return ""
        variable = _is_name(gold)
        values = sides[-1:] if variable else [side for side in sides if side and not _is_name(side)]
        verdicts = [_compare(gold, side, language, formula, depth - 1) for side in values]
        if not verdicts:
            return WRONG if all(sides) else UNPARSED
        return _all_of(verdicts)
    member = _MEMBER.match(gold)
    if member and not _MEMBER.match(answer):
        return (
            "" if _ANY_RELATION.search(answer) else _compare(gold[member.end() :], answer, language, formula, depth - 1)
        )
    if not member and not _RELATION.search(gold) and (within := _MEMBER.match(answer)):
        return _formula(gold, answer[within.end() :], formula)
    name, mark, value = gold.partition("=")
    if not (mark and len(_RELATION.split(gold)) == 2 and _is_name(name) and not _is_name_of_relation(name)):
        return ""
    if not _ANY_RELATION.search(answer):
        return _compare(value.strip(), answer, language, formula, depth - 1)
    other, mark, rest = answer.partition("=")
    if not mark or len(_RELATION.split(answer)) < 2 or not _is_name(other):
        return ""
    if _is_name(value) or _is_name(rest.rpartition("=")[2]):
        return ""  # equations between variables: for `formula`
    if _plain_name(name) != _plain_name(other):
        return WRONG
    return _compare(value.strip(), rest.strip(), language, formula, depth - 1)


def _is_name(side: str) -> bool:
    """Whether a side of an equation has variables or words, so that it names or describes a value and is none."""
    if readings(side):
        return False
    return _LETTER.search(_CONSTANT.sub("", _FUNCTION.sub(" ", side))) is not None


def _has_value(side: str) -> bool:
    return any(part.strip() and not _is_name(part) for part in _RELATION.split(side))


def _is_name_of_relation(name: str) -> bool:
    """Whether the left of an equation is more than a name: 2x + y."""
    return re.search(r"[-+*/^]|\d\s*[A-Za-z]", re.sub(r"[_^]\{?\w+\}?|\([^()]*\)", "", name)) is not None


def _plain_name(name: str) -> str:
    return re.sub(r"[\s{}]|\\(?:overline|angle|triangle|vec|hat|bar)", "", name)


def _only(gold: str, given: list[str], language: str, formula: Formula | None, depth: int) -> str | None:
    """The verdict on a list where one value is wanted: right when the list repeats just that."""
    if all(re.sub(r"\s", "", element) == re.sub(r"\s", "", given[0]) for element in given):
        return _compare(gold, given[0], language, formula, depth)
    if gold_value(gold, language) is not None:
        return WRONG
    verdicts = [_compare(gold, element, language, formula, depth) for element in given]
    return _all_of(verdicts)


def _lists(
    wanted: tuple[str, list[str]], given: tuple[str, list[str]], language: str, formula: Formula | None, depth: int
) -> str | None:
    """`(a, b)`, `[a, b)` in order and with the same brackets; `{a, b}` and bare `a, b` in any order, and an element that
    is repeated counts once unless bare gold answers repeat one themselves."""
    brackets, gold_elements = wanted
    other, answer_elements = given
    ordered = brackets not in ("", "{}")
    if not ordered and (brackets or len(set(gold_elements)) == len(gold_elements)):
        gold_elements, answer_elements = (list(dict.fromkeys(map(_dense, x))) for x in (gold_elements, answer_elements))
    if len(gold_elements) != len(answer_elements) or (ordered and other not in (brackets, "")):
        return WRONG
    if not ordered and other not in ("", "{}"):
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


def _all_of(verdicts: list[str | None]) -> str | None:
    """Wrong where one is, else the first that is not right, else right."""
    return WRONG if WRONG in verdicts else next((word for word in verdicts if word != RIGHT), RIGHT)


def _dense(element: str) -> str:
    return re.sub(r"\s*([,;=+*/()-])\s*", r"\1", element)


def _balanced(text: str) -> bool:
    """Whether every brace is closed."""
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
