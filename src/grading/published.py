"""Right or wrong as the evaluation published with AdaMame decides it, for comparison with published numbers.

What differs: a box in the trace counts when the answer part has none; text is compared by math-verify as it stands,
so that digits of other scripts, and separators of other languages, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from src.grading.extract import last_box
from src.grading.normal import MAXIMUM_ANSWER
from src.language.trace import split_trace

_PLAIN = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+", re.ASCII)
_RATIO = re.compile(r"\\d?frac\{(\d{1,30})\}\{(0*[1-9]\d{0,30})\}", re.ASCII)


def published_answer(completion: str) -> str:
    """The box of the answer part, else of the trace, as it is written; empty when there is none."""
    split = split_trace(completion)
    answer = (last_box(split.answer) or last_box(split.think) or "").strip()
    return answer if len(answer) <= MAXIMUM_ANSWER else ""


def compare_published(gold: str, answer: str, formula: Callable[[str, str], str] | None = None) -> str | None:
    """The verdict; None where only `formula` (math-verify, in a worker) could tell and none was given."""
    if not answer:
        return "unparsed"
    wanted, given = _value(gold), _value(answer)
    if wanted is not None and given is not None:
        if wanted == given:
            return "right"
        if wanted.denominator == given.denominator == 1:
            return "wrong"  # math-verify rounds decimals: those are for it
    return formula(gold, answer) if formula is not None else None


def _value(text: str) -> Fraction | None:
    """Of plain numbers and fractions, which math-verify reads as just that."""
    if _PLAIN.fullmatch(text) or _THOUSANDS.fullmatch(text):
        return Fraction(text.replace(",", ""))
    ratio = _RATIO.fullmatch(text)
    return Fraction(int(ratio[1]), int(ratio[2])) if ratio else None
