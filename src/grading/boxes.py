"""The boxed answer of a text: the last box, or the last boxes that are one answer together. Linear in the length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from src.grading.normal import MAXIMUM_ANSWER, normalise
from src.grading.numbers import readings
from src.grading.phrases import AND_OR, NOT

# `\b` and `\f` may have come through JSON as the control characters they stand for there.
_COMMAND = r"(?:\\(?:f?boxed|fbox|framebox)|\x08oxed|\x0c(?:box|ramebox))(?![A-Za-z])"
_OPTIONS = r"(?:\[[^\[\]{}\\]{0,20}\]\s*){0,2}"  # \framebox[2cm][c]{5}
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,99}\}){0,99}\}){0,200}\}"
_MACRO = r"\\(?!(?:q?quad|left|right|begin|end|f?boxed|fbox|framebox)(?![A-Za-z]))[A-Za-z]{1,20}"
# TeX boxes one token where no brace follows: a digit, a letter, a command with its arguments. Read is all that stands
# there without a blank, so that a part of a longer formula is never taken for the answer.
_BARE = rf"(?:[-+]?\d|[A-Za-z](?![A-Za-z])|[-+]?{_MACRO})(?:{_MACRO}|{_GROUP}|[\w^+\-*/=!.,()]){{0,60}}"
_TOKEN = re.compile(rf"(?P<box>{_COMMAND}\s*{_OPTIONS}\{{)|{_COMMAND}[ \t]*(?P<bare>{_BARE})|\\[{{}}]|[{{}}]")
_LONE_LETTER = re.compile(r"[A-Za-z]")
_BEFORE_PROSE = re.compile(r"[ \t]+[^\W\d_]")

# Between two boxes that are one answer: a unit, a separator, the name of the second (`x =`), and how they are set.
_GAP = 80  # characters
_BLANKS = " \r\n"  # a tab or a form feed may be the first letter of a command that came through JSON
_DRESS = re.compile(
    r"\\[()\[\],;:! ]|\$+|\*\*|[{}&~]|\\q?quad(?![a-zA-Z])|\\(?:text|math)(?:bf|it|rm|sf|tt|normal)?(?=\s*\{)|\\mbox(?=\s*\{)"
    rf"|{_COMMAND}|\\(?:left|right|displaystyle)(?![a-zA-Z])"
)
_UNIT = r"(?:\\?%|°|\^\s*\\circ|[€£¥₩฿৳₹]|[^\W\d_]{1,12}\.?(?:\s*\^\s*[23]|[²³])?)"
_LABEL = r"(?:\(?[a-hivx0-9]{1,3}\)\s*)?"
_NAMED = r"(?:\\?(?P<name>[^\W\d_]{1,12})(?:_\s*\w{1,3})?\s*'?(?:\s*\([^()]{1,9}\))?\s*=\s*)?"
_COMMA = r"[,;、،，；]"
_TOGETHER = re.compile(
    rf"\s*(?:(?P<mark>(?:\\?%|°|\^\s*\\circ)?\s*{_COMMA}?\s*{AND_OR}|(?:\\?%|°|\^\s*\\circ)?\s*{_COMMA}|{_UNIT}\s*{_COMMA}?\s*{AND_OR})[\s,:]*)?"
    rf"{_LABEL}{_NAMED}",
    re.IGNORECASE,
)
_DENIED = re.compile(rf"\s*{_COMMA}?\s*(?:{AND_OR})?\s*(?:but\s+)?{NOT}\s*", re.IGNORECASE)
_OPERATOR = re.compile(r" ?([-+*/:^−–×÷·]|\\(?:times|cdot|div|pm)(?![a-zA-Z])) ?")
_FIRST_NAME = re.compile(r"(?<![A-Za-z\\])([A-Za-z])(?:_(?:\w|\{\w{1,3}\}))?\s*=[\s$({\[\\]*$")


def last_box(text: str) -> str | None:
    """The last box that is not empty, of nested boxes the inner one; None when there is none.

    Boxes side by side, with nothing but separators between them, are one answer: `3, 5`.
    """
    boxes = last_boxes(text)
    return together(boxes) if boxes else None


def last_boxes(text: str) -> list[tuple[str, str, str]]:
    """(joint, name, content) of the boxes that are the last answer; `joint` is what joins each to the one before it."""
    if not any(mark in text for mark in ("box", "\x08oxed")):
        return []
    group: list[tuple[int, int, str, str]] = []  # where each content stands, joint, name
    end = -1
    for start, first, last, after in _boxes(text):
        joint, name = _joint(text, end, start) if group else (None, "")
        if joint == "not":
            end = after
            continue
        if joint is None:
            before = _FIRST_NAME.search(text[max(0, start - 30) : start])
            group, joint, name = [], "", before[1] if before else ""
        group.append((first, last, joint, name))
        end = after
    return [(joint, name, text[first:last]) for first, last, joint, name in group]


def together(boxes: list[tuple[str, str, str]]) -> str:
    """One text for boxes that are one answer; what is boxed twice counts once."""
    if len(boxes) == 1:
        return boxes[0][2]
    if any(joint not in ("", ", ") for joint, _, _ in boxes):
        return "".join(joint + content.strip(_BLANKS) for joint, _, content in boxes)
    names = {name for _, name, _ in boxes}
    if len(names) > 1 and all(len(name) == 1 for name in names):
        return ", ".join(dict.fromkeys(f"{name} = {content.strip(_BLANKS)}" for _, name, content in boxes))
    return ", ".join(_different([content.strip(_BLANKS) for _, _, content in boxes]))


def _different(contents: list[str]) -> list[str]:
    """The contents without those that say the same as a later one."""
    distinct = list(dict.fromkeys(contents))
    if len(distinct) == 1 or sum(map(len, distinct)) > MAXIMUM_ANSWER or len(distinct) > 20:
        return distinct
    kept: list[tuple[str, str, frozenset[object]]] = []
    for content in reversed(distinct):
        plain = normalise(content)
        values = frozenset(readings(plain)) if plain else frozenset()
        if all(plain != other and not values & others for _, other, others in kept):
            kept.append((content, plain, values))
    return [content for content, _, _ in reversed(kept)]


def _boxes(text: str) -> Iterator[tuple[int, int, int, int]]:
    """(where its command begins, its content begins and ends, it ends) of every innermost box that is not empty."""
    opened: list[list[int]] = []  # [where a brace's content begins (-1: no box), is a box inside, where it began]
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if token["bare"] is not None:
            content = token["bare"].rstrip(".,")
            end = token.start("bare") + len(content)
            if _LONE_LETTER.fullmatch(content) and _BEFORE_PROSE.match(text, end):
                continue  # \boxed a number
            yield token.start(), token.start("bare"), end, end
            if opened:
                opened[-1][1] = 1
        elif token["box"] is not None or mark == "{":
            opened.append([token.end() if token["box"] is not None else -1, 0, token.start()])
        elif mark == "}" and opened:
            start, inside, began = opened.pop()
            if start >= 0 and not inside and text[start : token.start()].strip():
                yield began, start, token.start(), token.end()
            if opened and (start >= 0 or inside):
                opened[-1][1] = 1


def _joint(text: str, end: int, start: int) -> tuple[str | None, str]:
    """(what joins two boxes, the name of the second): a comma, an operator, `not`; None when they stand apart."""
    if start - end > _GAP:
        return None, ""
    gap = text[end:start]
    plain = re.sub(r"\s+", " ", _DRESS.sub(" ", gap))
    operator = _OPERATOR.fullmatch(plain)
    if operator and "\n" not in gap:
        return f" {operator[1]} ", ""
    if _DENIED.fullmatch(plain):
        return "not", ""
    match = _TOGETHER.fullmatch(plain)
    if match is None or ("\n" in gap and not match["mark"]):
        return None, ""
    return ", ", match["name"] or ""
