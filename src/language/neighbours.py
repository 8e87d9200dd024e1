"""Is a text in one of the detector's languages at all? What other languages of its script say about its words.

lingua names the likeliest of the languages it is given, however unlikely that one is. So the words are shown to all of
its languages of the script, by trigrams alone, which takes a tenth of the memory: words of a language are likely in it,
words of another are not, and words of a language nobody knows are likeliest in ever another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from src.language.common_words import COMMON, RELATIVES
from src.language.evidence import log_likelihoods
from src.language.table import LANGUAGES

if TYPE_CHECKING:
    import numpy as np

# lingua's names. Bosnian and Nynorsk are left out: Croatian and Bokmal say the same.
OF_SCRIPT = {
    "latin": [
        "AFRIKAANS",
        "ALBANIAN",
        "AZERBAIJANI",
        "BASQUE",
        "BOKMAL",
        "CATALAN",
        "CROATIAN",
        "CZECH",
        "DANISH",
        "DUTCH",
        "ENGLISH",
        "ESPERANTO",
        "ESTONIAN",
        "FINNISH",
        "FRENCH",
        "GANDA",
        "GERMAN",
        "HUNGARIAN",
        "ICELANDIC",
        "INDONESIAN",
        "IRISH",
        "ITALIAN",
        "LATIN",
        "LATVIAN",
        "LITHUANIAN",
        "MALAY",
        "MAORI",
        "POLISH",
        "PORTUGUESE",
        "ROMANIAN",
        "SHONA",
        "SLOVAK",
        "SLOVENE",
        "SOMALI",
        "SOTHO",
        "SPANISH",
        "SWAHILI",
        "SWEDISH",
        "TAGALOG",
        "TSONGA",
        "TSWANA",
        "TURKISH",
        "VIETNAMESE",
        "WELSH",
        "XHOSA",
        "YORUBA",
        "ZULU",
    ],
    "cyrillic": ["BELARUSIAN", "BULGARIAN", "KAZAKH", "MACEDONIAN", "MONGOLIAN", "RUSSIAN", "SERBIAN", "UKRAINIAN"],
    "arabic": ["ARABIC", "PERSIAN", "URDU"],
}
# Letters of its script that the language does not write. Latin is told by the letters beyond a to z.
_LATIN = {
    "de": "äöüß",
    "en": "àâçèéêëïñöü",
    "es": "áéíñóúüª",
    "fr": "àâçèéêëîïôùûüÿæœ",
    "id": "é",
    "it": "àèéìíîòóùú",
    "ms": "é",
    "pt": "àáâãçéêíóôõúüº",
    "sw": "",
    "vi": "àáâãèéêìíòóôõùúýăđĩũơưạ-ỹ",
}
_STRANGE = {
    "ru": re.compile(r"[\u0400-\u052f](?<![а-яёА-ЯЁ])"),
    "ar": re.compile(r"[\u066e-\u06d3\u0750-\u077f](?<!\u0671)"),
    "bn": re.compile(r"[\u09f0\u09f1]"),
    **{code: re.compile(rf"[ß-öø-\u02af\u1e00-\u1eff](?<![{letters or 'a'}])") for code, letters in _LATIN.items()},
}
_STRANGE_LETTERS = 0.02  # share of a text's letters
_FEW = 3  # strange letters that a name may bring in
_COMMON_WORD = re.compile(r"[^\W\d_]{2,}")
_WORD = re.compile(r"[^\W\d_]{3,40}")
_LONGEST_SENTENCE = 300  # characters: so many leave no doubt
_LONGEST = 5_000  # characters: so many leave no doubt
_MANY = 10  # words
_PER_WORD = 20.0  # nats
_REMEMBERED = 50_000  # words


class _Rule(NamedTuple):
    """In nats: by how much the likeliest foreign language leads, and how much `code` loses to each word's likeliest.

    The more of the words are common ones of the language, the more is asked: `per_common` for each of a sentence,
    `loss_per_share` for the share of a text's.
    """

    lead: float
    lead_per_word: float
    loss: float
    loss_per_word: float
    loss_per_share: float = 0.0
    per_common: float = 0.0


# Words lose 5 nats on average in their own language and 12 to 17 elsewhere; of the different words of a text 17 to 60 %
# are common ones, and in 19 of 20 foreign texts less than 14 %. Measured with experiments/detector.
_SENTENCE = _Rule(25.0, 3.5, 25.0, 12.0, per_common=8.0)
_TEXT = _Rule(12.0, 2.0, 20.0, 9.0)
_TEXT_WITH_COMMON_WORDS = _Rule(12.0, 2.0, 10.0, 4.0, 40.0)
_LEAST_COMMON = 0.1  # share of the different words
_RELATED = 3  # words of a relative, against at most twice as many of the language's own common ones
_WITH_COMMON = 10  # words, of which some must be common


class Neighbours:
    """Of the languages `codes` of `script`."""

    def __init__(self, script: str, codes: tuple[str, ...]) -> None:
        from lingua import Language, LanguageDetectorBuilder

        own = [LANGUAGES[code].iso for code in codes]
        names = own + [name for name in OF_SCRIPT[script] if name not in own]
        languages = [getattr(Language, name) for name in names]
        self._words = _Words(
            LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build(),
            {name: place for place, name in enumerate(names)},
        )
        self._codes = codes

    def elsewhere(self, text: str, code: str, alone: bool) -> bool:
        """Whether the words of `text` speak for a language that is none of `codes` rather than for `code`: for the
        likeliest of those, or each word for another one. `alone`: of a single sentence, whose words vary more."""
        many, totals = self._words.totals(
            dict.fromkeys(_WORD.findall(text.lower()[: _LONGEST_SENTENCE if alone else _LONGEST]))
        )
        if not many:
            return False
        own = totals[self._codes.index(code)]
        strange = totals[len(self._codes) :]
        lead = max(strange) - own if strange else 0.0
        words = set(_COMMON_WORD.findall(text.lower()[:_LONGEST]))
        common = len(words & COMMON.get(code, frozenset()))
        if alone:
            sure = _SENTENCE.per_common * common
            return (
                lead >= _SENTENCE.lead + _SENTENCE.lead_per_word * many + sure
                or -own >= _SENTENCE.loss + _SENTENCE.loss_per_word * many + sure
            )
        rule = _TEXT
        share = common / len(words)
        if code in COMMON:
            near = len(words & RELATIVES.get(code, frozenset()))
            related = near >= _RELATED and 2 * near > common
            if related or (len(words) >= _WITH_COMMON and share < _LEAST_COMMON):
                return True
            rule = _TEXT_WITH_COMMON_WORDS._replace(loss=10.0 + 4.0 * max(0, _MANY - many))
        return lead >= rule.lead + rule.lead_per_word * min(many, _MANY) or -own >= rule.loss + many * (
            rule.loss_per_word + rule.loss_per_share * share
        )


class _Words(dict[str, int]):
    """Word -> its row in a table of what each language says of it, -1 where none knows it; asked when first looked up."""

    def __init__(self, lingua: Any, place: dict[str, int]) -> None:
        import numpy as np

        self._lingua = lingua
        self._place = place
        self._rows: np.ndarray = np.zeros((_REMEMBERED + _LONGEST, len(place)), np.float32)
        self._used = 0

    def totals(self, words: Iterable[str]) -> tuple[int, list[float]]:
        """(how many of `words` are known, the sum of what each language says of those)."""
        if len(self) >= _REMEMBERED:
            self.clear()
            self._used = 0
        rows = [row for row in map(self.__getitem__, words) if row >= 0]
        return len(rows), self._rows[rows].sum(axis=0, dtype="float64").tolist()

    def __missing__(self, word: str) -> int:
        values = log_likelihoods(self._lingua, self._place, word, _PER_WORD)
        row = -1
        if values is not None:
            row = self._used
            self._rows[row] = values
            self._used += 1
        self[word] = row
        return row


def strange_letters(text: str, code: str) -> bool:
    """Whether `text` has letters that `code` does not write, too many for a name."""
    if code not in _STRANGE or text.isascii():
        return False
    strange = len(_STRANGE[code].findall(text.lower()))
    return strange >= _FEW and strange >= _STRANGE_LETTERS * sum(map(str.isalpha, text))


@lru_cache(maxsize=16)
def neighbours_of(script: str, codes: tuple[str, ...]) -> Neighbours | None:
    """One for each set of languages, shared by the process; None for a script with no rule."""
    return Neighbours(script, codes) if script in OF_SCRIPT else None
