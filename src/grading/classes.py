"""Which answers are one: the classes in which they vote."""

from __future__ import annotations

from fractions import Fraction

from src.grading.choices import letter
from src.grading.numbers import readings


def answer_class(answer: str, language: str) -> str | Fraction:
    """What equal answers have in common: the first reading of a normalised answer as a number in `language`, the Latin letter
    of an option in another script, or else the text.

    >>> answer_class("1.500", "de") == answer_class("1500", "ja"), answer_class("ข", "th")
    (True, 'B')
    """
    value = next(iter(readings(answer, language)), None)
    if value is not None:
        return value
    option = None if answer.isascii() else letter(answer)
    return option or answer
