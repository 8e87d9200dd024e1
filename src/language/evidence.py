"""How much the words of a sentence speak for each language of a script: lingua's evidence, word by word, remembered.

lingua scores a word by the n-grams within it, and a sentence by those of its words, so that the scores of words add up.
Asking about words has two advantages: words recur, which makes it several times faster, and one word, a foreign name
for instance, can be kept from deciding alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from src.language.common_words import COMMON
from src.language.table import LANGUAGES

_WORD = re.compile(r"[^\W\d_]+")
_COMMON = 6.0  # nats against languages that have not got a common word of others; lingua knows little of short words
_REMEMBERED = 200_000  # words
_LONGEST_TEXT = 600  # characters of a sentence: so many leave no doubt
_LONGEST = 40  # letters: what is longer is no word, and slow to ask about


class Evidence:
    """Of the languages `codes`, in nats; no word speaks against a language by more than `per_word`."""

    def __init__(self, codes: tuple[str, ...], per_word: float) -> None:
        from lingua import Language, LanguageDetectorBuilder

        languages = [getattr(Language, LANGUAGES[code].iso) for code in codes]
        self._lingua = LanguageDetectorBuilder.from_languages(*languages).build()
        self._place = {language.name: place for place, language in enumerate(languages)}
        self._codes = codes
        self._per_word = per_word
        lists = [COMMON.get(code, frozenset[str]()) for code in codes]
        self._common = {word: tuple(word in words for words in lists) for word in frozenset[str]().union(*lists)}
        self._known: dict[str, tuple[float, ...] | None] = {}

    def best(self, text: str) -> tuple[str | None, float]:
        """The language that the words of `text` speak for, each counted once, and by how many nats it leads.

        Common words count more than lingua says.
        """
        words = dict.fromkeys(_WORD.findall(text.lower()[:_LONGEST_TEXT]))
        _, place, lead = self._led([row for word in words if (row := self._with_common(word)) is not None])
        return (None if place is None else self._codes[place]), lead

    def undisputed(self, text: str, lead: float, share: float) -> str | None:
        """The language that leads by `lead` nats while what words say for another is at most `share` of its lead."""
        rows, place, ahead = self._tally(text)
        if place is None or ahead < lead:
            return None
        disputed = [row for row in rows if row[place] < 0]  # words that another language fits better
        against = max(sum(max(0.0, row[i] - row[place]) for row in disputed) for i in range(len(self._codes)))
        return self._codes[place] if against <= share * ahead else None

    def _tally(self, text: str) -> tuple[list[tuple[float, ...]], int | None, float]:
        """What each different word says, the place of the language they speak for, and its lead."""
        return self._led(
            [row for word in dict.fromkeys(_WORD.findall(text.lower())) if (row := self._word(word)) is not None]
        )

    def _led(self, rows: list[tuple[float, ...]]) -> tuple[list[tuple[float, ...]], int | None, float]:
        if not rows:
            return rows, None, 0.0
        totals = [math.fsum(column) for column in zip(*rows, strict=True)]
        first = max(totals)
        place = totals.index(first)
        return rows, place, first - max(totals[:place] + totals[place + 1 :], default=-math.inf)

    def _with_common(self, word: str) -> tuple[float, ...] | None:
        row = self._word(word)
        common = self._common.get(word)
        if common is None:
            return row
        row = row or (0.0,) * len(self._codes)
        return tuple(
            value if known else max(value - _COMMON, -self._per_word) for value, known in zip(row, common, strict=True)
        )

    def _word(self, word: str) -> tuple[float, ...] | None:
        """Log-likelihood of each language relative to the likeliest, or None: lingua knows nothing about the word.

        lingua divides a word's score by its number of different letters before it makes probabilities of it.
        """
        if word not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[word] = self._ask(word[:_LONGEST])
        return self._known[word]

    def _ask(self, word: str) -> tuple[float, ...] | None:
        values = log_likelihoods(self._lingua, self._place, word, self._per_word)
        return None if values is None else tuple(values)


def log_likelihoods(lingua: Any, place: Mapping[str, int], word: str, per_word: float) -> list[float] | None:
    """What a detector of lingua says of a word, in nats below the likeliest language, by the `place` of a language's name;
    at most `per_word` below. None: it knows nothing about the word."""
    confidences: list[Any] = lingua.compute_language_confidence_values(word)
    values = [0.0] * len(place)
    for confidence in confidences:
        values[place[confidence.language.name]] = confidence.value
    top = max(values)
    if top <= 0:
        return None
    letters = len(set(word))
    return [max(letters * math.log(v / top), -per_word) if v > 0 else -per_word for v in values]
