"""How much of a text it has said before: the mark of a model that runs in circles."""

from __future__ import annotations

import re

from src.language.table import language

_UNSPACED = ("thai", "japanese", "han")  # written without blanks between words
_LETTERS_PER_WORD = 3  # of a script without blanks, about
_WORD = re.compile(r"\S+")


def repeated_share(text: str, code: str, words: int) -> float:
    """The share of all runs of `words` words (as many letters times three in a script without blanks) that stood in the
    text before; 0 for a text of fewer words."""
    units = list("".join(text.split())) if language(code).script in _UNSPACED else _WORD.findall(text)
    size = words * _LETTERS_PER_WORD if language(code).script in _UNSPACED else words
    runs = [tuple(units[start : start + size]) for start in range(len(units) - size + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0
