"""Right or wrong as the evaluation published with AdaMame decides it, for comparison with published numbers.

What differs: the first box of the answer part counts, and that of the trace too: either may be right. math-verify
reads the text as it stands, without marks of mathematics about it: most LaTeX but plain fractions is not read, nor are
digits of other scripts and separators of other languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

MAXIMUM_TEXT = 10_000  # characters of a box, which may have no end
_BOX = "\\boxed{"
_PLAIN = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_RATIO = re.compile(r"\\frac\{(\d{1,30})\}\{(0*[1-9]\d{0,30})\}", re.ASCII)


def published_answers(completion: str) -> tuple[str, str]:
    """The first boxes of the answer part and of the trace as they are written; empty where there is none.

    A completion without `</think>` is all answer part.
    """
    trace, mark, answer = completion.partition("</think>")
    if not mark:
        trace, answer = "", completion
    return _first_box(answer), _first_box(trace)


def compare_published(gold: str, answer: str, formula: Callable[[str, str], str] | None = None) -> str | None:
    """The verdict on one box; None where only math-verify could tell, which is asked where `formula` is given (that is,
    in a worker) instead of `formula`."""
    if not answer:
        return "unparsed"
    wanted, given = _value(gold), _value(answer)
    if wanted is not None and given is not None:
        if wanted == given:
            return "right"
        if wanted.denominator == given.denominator == 1:
            return "wrong"  # math-verify rounds decimals: those are for it
    return _verified(gold, answer) if formula is not None else None


def _first_box(text: str) -> str:
    """Braces are counted with and without a backslash alike; a box without end goes to the last character but one."""
    start = text.find(_BOX)
    if start < 0:
        return ""
    start += len(_BOX)
    depth = 1
    for brace in re.finditer(r"[{}]", text[start:]):
        depth += 1 if brace.group() == "{" else -1
        if not depth:
            return text[start : start + brace.start()].strip()[:MAXIMUM_TEXT]
    return text[start:-1].strip()[:MAXIMUM_TEXT]


def _verified(gold: str, answer: str) -> str:
    """math-verify's verdict with its own settings but for time limits, which the worker's parent keeps."""
    from math_verify import parse, verify

    wanted, given = (parse(text, parsing_timeout=None) for text in (gold, answer))
    if not wanted or not given:
        return "unparsed"
    return "right" if verify(wanted, given, timeout_seconds=None) else "wrong"


def _value(text: str) -> Fraction | None:
    """Of plain numbers and fractions, which math-verify reads as just that."""
    if _PLAIN.fullmatch(text) or _THOUSANDS.fullmatch(text):
        return Fraction(text.replace(",", ""))
    ratio = _RATIO.fullmatch(text)
    return Fraction(int(ratio[1]), int(ratio[2])) if ratio else None
