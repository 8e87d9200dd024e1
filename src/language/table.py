"""The languages the project knows: one row each. A new language is a row here and, for the world, a file there."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from src.errors import UserError


class UnknownLanguage(UserError, ValueError):
    """A code that is not in the table."""


@dataclass(frozen=True)
class Language:
    """`code` is ISO 639-1. `script` is a name of `src.language.scripts`; `iso` the name lingua knows it by."""

    code: str
    name: str
    script: str
    iso: str

    @property
    def latin(self) -> bool:
        return self.script == "latin"


LANGUAGES = {
    row.code: row
    for row in (
        Language("bn", "Bengali", "bengali", "BENGALI"),
        Language("de", "German", "latin", "GERMAN"),
        Language("en", "English", "latin", "ENGLISH"),
        Language("es", "Spanish", "latin", "SPANISH"),
        Language("fr", "French", "latin", "FRENCH"),
        Language("ja", "Japanese", "japanese", "JAPANESE"),
        Language("ko", "Korean", "hangul", "KOREAN"),
        Language("pt", "Portuguese", "latin", "PORTUGUESE"),
        Language("ru", "Russian", "cyrillic", "RUSSIAN"),
        Language("sw", "Swahili", "latin", "SWAHILI"),
        Language("te", "Telugu", "telugu", "TELUGU"),
        Language("th", "Thai", "thai", "THAI"),
        Language("zh", "Chinese", "han", "CHINESE"),
    )
}

TRAINED = ("fr", "ja", "ko", "pt", "th")
EVALUATED = ("fr", "ja", "ko", "th", "bn", "en", "es", "ru", "sw", "te", "zh", "de")
IN_DOMAIN = tuple(code for code in EVALUATED if code in TRAINED)
OUT_OF_DOMAIN = tuple(code for code in EVALUATED if code not in TRAINED)


def language(code: str) -> Language:
    """The row of `code`. Raises `UnknownLanguage`, which names the nearest codes."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    names = {row.name.lower(): row.code for row in LANGUAGES.values()}
    close = [names[n] for n in difflib.get_close_matches(str(code).lower(), names, n=2, cutoff=0.5)]
    close += difflib.get_close_matches(str(code).lower()[:2], LANGUAGES, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(dict.fromkeys(close))}?" if close else ""
    raise UnknownLanguage(
        f"unknown language code {code!r}.{hint} Known: {', '.join(LANGUAGES)}; add a row to src/language/table.py"
    )
