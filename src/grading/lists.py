"""Lists as answers: `(1, 2)`, `{1, 2}`, `1, 2 and 3`, `9只鸡和21只兔`, `x = 1 or x = 2`; their brackets and elements."""

from __future__ import annotations

import re
from itertools import pairwise

from src.grading.numbers import readings
from src.grading.numerals import COUNTERS

OPEN, CLOSE = "([{", ")]}"
# "and" and "or" between two elements, in languages that set words apart and in those that do not.
_SPACED = re.compile(
    r"\s*,?\s*(?:(?:(?<=\s)|(?<=[,)}\]$\d]))(?:and|or|et|ou|und|oder|bzw\.|y|e|o|u|ed|od|и|или|либо|na|au|ama|và|hoặc|hay|dan|atau|serta"
    r"|এবং|ও|অথবা|বা|কিংবা|మరియు|లేదా|و|أو)(?=\s)|\\(?:lor|land|vee|wedge)(?![a-z])|(?<=[\d)}\]])(?:and|or)(?=[\d(\\{\[])|&)\s*"
)
_GLUED = re.compile(
    r"\s*,?\s*(?:以及|或者|或是|還有|还有|または|もしくは|あるいは|および|及び|그리고|또는|혹은|และ|หรือ|กับ|和|与|與|或|及|및"
    rf"|(?<=[\d)}}\s{COUNTERS}])(?:이나|と|か|와|과)|(?:と|와)(?=\s*\d))\s*"
)
_ARABIC = re.compile(r"\s+و(?=[\d\\(-])")  # written at the number that follows
_EITHER = re.compile(r"\\(pm|mp)(?![a-z])")
_ELEMENT = re.compile(r"\d|\\[a-zA-Z]|^[A-Za-z]$|[A-Za-z]\s*=")


def listed(text: str, language: str = "en") -> tuple[str, list[str]] | None:
    """(brackets, elements) of a list, brackets being two signs or empty; None when the text is no list.

    Semicolons separate where there are any, else commas before a blank; other commas where the parts between those are
    no numbers of `language` or of English.
    """
    inner = _joined(text.strip())
    brackets = ""
    if inner and inner[0] in "[]" and inner[-1] in "[]" and (inner[0] == "]" or inner[-1] == "["):  # ]0, 1]
        inner = ("(" if inner[0] == "]" else "[") + inner[1:-1] + (")" if inner[-1] == "[" else "]")
    if inner.startswith("\\{") and inner.endswith("\\}") and inner.count("\\{") == 1:
        inner = inner[2:-2]
        brackets = "{}"
    elif inner and inner[0] in OPEN and inner[-1] in CLOSE and _encloses(inner):
        brackets = inner[0] + inner[-1]
        inner = inner[1:-1]
    if brackets:
        inner = _joined(inner)
    parts = _parts(inner, language)
    if brackets in ("", "{}"):
        parts = [one for part in parts for one in _signed(part)]
    return (brackets, parts) if all(parts) and (brackets or len(parts) > 1) else None


def _parts(inner: str, language: str) -> list[str]:
    if ";" in inner and (parts := _split(inner, ";")) and len(parts) > 1:
        return parts
    if len(_split(inner, ", ")) == 1:
        return _split(inner, ",")
    parts = []
    for part in _split(inner, ", "):
        finer = _split(part, ",")
        parts += finer if len(finer) > 1 and not readings(part, language) else [part]
    return parts


def _signed(part: str) -> list[str]:
    """Of `2 \\pm \\sqrt{3}` both values."""
    if not _EITHER.search(part):
        return [part]
    plus = _EITHER.sub(lambda sign: "+" if sign[1] == "pm" else "-", part)
    minus = _EITHER.sub(lambda sign: "-" if sign[1] == "pm" else "+", part)
    return [re.sub(r"^\+|(?<=[=({])\s*\+", "", signed) for signed in (plus, minus)]


def _split(text: str, separator: str) -> list[str]:
    """`text` at every separator that stands in no brackets, parts trimmed."""
    depth = 0
    places = [-1]
    for position, sign in enumerate(text):
        depth += (sign in OPEN) - (sign in CLOSE)
        if sign == separator[0] and depth == 0 and text.startswith(separator, position):
            places.append(position)
    return [text[start + 1 : stop].strip() for start, stop in pairwise([*places, len(text)])]


def _joined(text: str) -> str:
    """`text` with a comma for each "and" and "or" between two elements."""
    if "\\begin" in text:
        return text
    text = _ARABIC.sub(", ", text)
    text = _joined_at(_SPACED, text)
    return text if text.isascii() else _joined_at(_GLUED, text)


def _joined_at(pattern: re.Pattern[str], text: str) -> str:
    parts = [part.strip() for part in pattern.split(text)]
    return ", ".join(parts) if len(parts) > 1 and all(map(_ELEMENT.search, parts)) else text


def _encloses(text: str) -> bool:
    """Whether the first bracket is closed by the last sign."""
    depth = 0
    for position, sign in enumerate(text):
        depth += (sign in OPEN) - (sign in CLOSE)
        if depth == 0:
            return position == len(text) - 1
    return False
