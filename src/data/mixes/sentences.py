"""Traces sentence by sentence, which is line by line, and how many letters a text has."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def lines_of(trace: str) -> list[str]:
    """The lines of a trace that hold something."""
    return [line for line in trace.splitlines() if line.strip()]


def switched(source: Sequence[str], target: Sequence[str], share: float, order: Sequence[int]) -> list[str]:
    """The sentences of `source`, of which the share is replaced by those of `target` in the same places: the first ones of
    `order`, as many as come nearest to the share.

    >>> switched(["one", "two", "three"], ["un", "deux", "trois"], 0.4, [2, 0, 1])
    ['one', 'two', 'trois']
    """
    replaced = set(order[: int(share * len(source) + 0.5)])
    return [target[place] if place in replaced else line for place, line in enumerate(source)]


def letters(text: str) -> int:
    """How many letters a text has."""
    return sum(unicodedata.category(sign).startswith("L") for sign in text)
