"""Which languages a text mixes, as lingua's detection of multiple languages finds them, several times faster.

lingua asks itself about every word, twice: once among all languages, to find those that occur, and once among those.
Words recur, so both answers are remembered here; the runs of words and their merging are lingua's. Texts of many
scripts, where it also decides by the order of a hash table, are left to it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterable
from typing import Any

import regex

from src.language.scripts import SCRIPTS, only_script, scripts_of
from src.language.table import LANGUAGES

_LETTERS = (
    r"\p{Bengali}+|\p{Devanagari}+|\p{Gujarati}+|\p{Gurmukhi}+|\p{Han}|\p{Hangul}+|\p{Hiragana}|\p{Katakana}|\p{Tamil}+"
    r"|\p{Telugu}+|\p{Thai}+"
)
_WORD = regex.compile(rf"{_LETTERS}|\p{{L}}+")
_TOKEN = regex.compile(rf"({_LETTERS}|[\p{{L}}'-]+)[\p{{N}}\p{{P}}]*\s*")
_LATIN_WORD = re.compile(rf"{SCRIPTS['latin'].pattern}+")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_LONG = 5  # letters: shorter words do not bring in a language
_MANY = 20  # words
_REMEMBERED = 200_000  # words for each set of languages


class _Words(dict[str, "str | None"]):
    """Word -> name of its language among `languages`, asked when it is first looked up."""

    def __init__(self, languages: Iterable[Any]) -> None:
        from lingua import LanguageDetectorBuilder

        self.lingua = LanguageDetectorBuilder.from_languages(*languages).build()

    def __missing__(self, word: str) -> str | None:
        if len(self) >= _REMEMBERED:
            self.clear()
        name = self.name_of(word)
        self[word] = name
        return name

    def name_of(self, text: str) -> str | None:
        language = self.lingua.detect_language_of(text)
        return None if language is None else sys.intern(language.name)


class Multiple:
    """`languages` are lingua's, those it distinguishes. Holds a memory of words: make one and keep it."""

    def __init__(self, languages: Iterable[Any]) -> None:
        self._languages = {language.name: language for language in languages}
        self._only = _only_languages(self._languages)
        self._words = _Words(self._languages.values())
        self._among: dict[frozenset[str], _Words] = {}

    def language_of(self, text: str) -> str | None:
        """The name of the language lingua detects in the whole of `text`."""
        return self._of_script(text, only_script(text)) or self._words.name_of(text)

    def _of_script(self, text: str, script: str | None) -> str | None:
        """The language of a text all in `script`, if one language alone writes that: lingua's first rule."""
        if script == "japanese" and len(_KANA.findall(text)) <= text.count("ー"):
            return None  # a long mark alone is no kana to lingua
        return self._only.get(script or "")

    def languages_of(self, text: str) -> set[str]:
        """The names of the languages of the runs of words that `text` falls into; empty when it has no letters."""
        script = only_script(text)
        if only := self._of_script(text, script):
            return {only}
        words = (_LATIN_WORD if script == "latin" else _WORD).findall(text)
        if not words:
            return set()
        scripts = {"latin"} if script == "latin" else scripts_of(text)
        names = list(map(self._words.__getitem__, [word for word in words if len(word) >= _LONG]))
        occurring = set(names)
        clear = scripts == {"latin"} and len(names) >= _MANY and max(map(names.count, occurring)) * 2 > len(names)
        if not clear:  # else the language of the whole is that of most words
            occurring.add(self._words.name_of(text))
        known = frozenset(name for name in occurring if name)
        if len(known) < 2:
            return set(known)
        if len(scripts) > 2:  # rare, and lingua's rules for it are many
            return {run.language.name for run in self._words.lingua.detect_multiple_languages_of(text)}
        return _merged(self._runs(text, known))

    def _runs(self, text: str, among: frozenset[str]) -> list[tuple[str, int]]:
        """(language, words) of each run; words of no known language belong to the run they stand in.

        A word whose best language is among those that occur has the same best language among them alone.
        """
        runs: list[tuple[str, int]] = []
        current = None
        count = 0
        tokens = _TOKEN.findall(text)
        for token, language in zip(tokens, map(self._words.__getitem__, tokens), strict=True):
            if language not in among:
                language = self._of(among)[token]
            if language is not None and language is not current:
                if current is not None:
                    runs.append((current, count))
                    count = 0
                current = language
            count += 1
        return [*runs, (current, count)] if current is not None else runs

    def _of(self, among: frozenset[str]) -> _Words:
        if among not in self._among:
            if len(self._among) > 256:  # mixtures of many languages: rather forget than grow
                self._among.clear()
            self._among[among] = _Words(self._languages[name] for name in among)
        return self._among[among]


def _only_languages(names: Container[str]) -> dict[str, str]:
    """Script -> the one of lingua's languages `names` that writes it; Chinese and Japanese where both are told apart."""
    rows = [row for row in LANGUAGES.values() if row.iso in names and row.script != "latin"]
    scripts = [row.script for row in rows]
    both = "JAPANESE" in names and "CHINESE" in names
    return {
        row.script: row.iso
        for row in rows
        if scripts.count(row.script) == 1 and (both or row.script not in ("japanese", "han"))
    }


def _merged(runs: list[tuple[str, int]]) -> set[str]:
    """The languages that are left when runs of one word join their neighbours, the last of them first."""
    left = len(runs)
    kept = set()
    for language, count in reversed(runs):
        if count == 1 and left > 1:
            left -= 1
        else:
            kept.add(language)
    return kept
