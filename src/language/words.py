"""Words in the wrong script. Names, acronyms, units, symbols, and what is quoted or in brackets, are no such words."""

from __future__ import annotations

import re

from src.language.prose import ASIDE, FUNCTIONS, UNIT, prose
from src.language.scripts import only_script, scripts_of_word
from src.language.table import language

_WORD = re.compile(r"[^\W\d_]{2,}")
_LATIN = r"A-Za-zÀ-ÖØ-öø-ɏ"
_SYMBOLS = re.compile(
    rf"(?<![{_LATIN}])(?:{UNIT}|{'|'.join(FUNCTIONS)}|[A-Z]{{2,6}}s?|[a-kmnp-r]x|[xyz]{{2,3}}|[A-ZÀ-ÖØ-Þ][a-zß-öø-ɏ'’]{{1,30}})(?![{_LATIN}])"
)


def word_pass(text: str, query_language: str) -> bool:
    """Whether no word of two or more letters is in a script that the language of the query does not use."""
    row = language(query_language)
    text = prose(text)
    if only_script(text) in (row.script, ""):
        return True
    text = ASIDE.sub(lambda aside: _without_foreign(aside.group(), row.script), text)
    if not row.latin:
        text = _SYMBOLS.sub(" ", text)
    return all(_own(word, row.script) for word in set(_WORD.findall(text)))


def _without_foreign(aside: str, script: str) -> str:
    """An aside is a name or a title when it is in another script; a whole sentence is none."""
    words = _WORD.findall(aside)
    return " " if len(words) <= 5 and not any(_own(word, script) for word in words) else aside


def _own(word: str, script: str) -> bool:
    """Whether a word, or each run of two letters in it, is in `script`; Latin letters may be glued to others."""
    return all(scripts <= {script, ""} for scripts in scripts_of_word(word, script))
