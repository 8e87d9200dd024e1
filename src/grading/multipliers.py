"""Words beside a number that multiply it: 1.5 million, 15 тысяч, 2 Mio., elfu 15, 3 lakh."""

from __future__ import annotations

import re
from functools import lru_cache

THOUSAND, MILLION, BILLION, TRILLION = 10**3, 10**6, 10**9, 10**12
# Language -> {pattern of a whole word: factor}. The same word differs: billón is 10^12 in Spanish, bilhão 10^9 in
# Portuguese, billion 10^9 in English and 10^12 in French and German.
_WORDS: dict[str, dict[str, int]] = {
    "en": {
        "hundred": 100,
        "thousands?": THOUSAND,
        "millions?|mn": MILLION,
        "billions?|bn": BILLION,
        "trillions?|tn": TRILLION,
        "dozens?": 12,
        "lakhs?": 10**5,
        "crores?": 10**7,
    },
    "de": {
        "hundert": 100,
        "tausend|tsd": THOUSAND,
        "million(?:en)?|mio": MILLION,
        "milliarden?|mrd": BILLION,
        "billion(?:en)?": TRILLION,
        "dutzend": 12,
    },
    "fr": {
        "cents?": 100,
        "mille": THOUSAND,
        "millions?": MILLION,
        "milliards?": BILLION,
        "billions?": TRILLION,
        "douzaines?": 12,
    },
    "es": {"mil": THOUSAND, "mill[oó]n(?:es)?": MILLION, "bill[oó]n(?:es)?": TRILLION, "docenas?": 12},
    "pt": {
        "mil": THOUSAND,
        "milh(?:ão|ões|oes|ao)": MILLION,
        "bilh(?:ão|ões|oes|ao)": BILLION,
        "trilh(?:ão|ões|oes|ao)": TRILLION,
        "dúzias?": 12,
    },
    "it": {
        "cento": 100,
        "mila|mille": THOUSAND,
        "milion[ei]": MILLION,
        "miliard[oi]": BILLION,
        "bilion[ei]": TRILLION,
        "dozzin[ae]": 12,
    },
    "ru": {
        "сот(?:ня|ни|ен)": 100,
        "тысяч[аиу]?|тыс": THOUSAND,
        "миллион(?:а|ов)?|млн": MILLION,
        "миллиард(?:а|ов)?|млрд": BILLION,
        "триллион(?:а|ов)?|трлн": TRILLION,
    },
    "sw": {"mia": 100, "elfu": THOUSAND, "laki": 10**5, "milioni": MILLION, "bilioni": BILLION, "trilioni": TRILLION},
    "vi": {"trăm": 100, "nghìn|ngàn": THOUSAND, "vạn": 10**4, "triệu": MILLION, "tỷ|tỉ": BILLION},
    "id": {"ratus": 100, "ribu": THOUSAND, "juta": MILLION, "miliar|milyar": BILLION, "triliun": TRILLION, "lusin": 12},
    "ms": {"ratus": 100, "ribu": THOUSAND, "juta": MILLION, "bilion": BILLION, "trilion": TRILLION, "dozen": 12},
    "bn": {"শত|শো|শ": 100, "হাজার": THOUSAND, "লাখ|লক্ষ": 10**5, "কোটি": 10**7, "মিলিয়ন|মিলিয়ন": MILLION, "ডজন": 12},
    "te": {
        "వందలు|వందల|వంద": 100,
        "వేలు|వేల|వెయ్యి": THOUSAND,
        "లక్షలు|లక్షల|లక్ష": 10**5,
        "కోట్లు|కోట్ల|కోటి": 10**7,
        "మిలియన్(?:లు|ల)?": MILLION,
    },
    "th": {"ร้อย": 100, "พัน": THOUSAND, "หมื่น": 10**4, "แสน": 10**5, "ล้าน": MILLION, "พันล้าน": BILLION, "โหล": 12},
    "ar": {
        "مئة|مائة": 100,
        "ألف|آلاف|ألفا": THOUSAND,
        "مليون|ملايين": MILLION,
        "مليار|مليارات": BILLION,
        "تريليون": TRILLION,
    },
}


@lru_cache(maxsize=32)
def _pattern(language: str) -> tuple[re.Pattern[str], tuple[int, ...]]:
    words = list(_WORDS["en"].items()) if language not in _WORDS else list(_WORDS[language].items())
    if language != "en" and language in _WORDS:  # English words are used in every language, where they say the same
        own = "|".join(_WORDS[language])
        words += [(word, value) for word, value in _WORDS["en"].items() if not re.search(own, word, re.IGNORECASE)]
        if language in ("fr", "de", "es"):
            words = [(word, value) for word, value in words if not word.startswith(("billions?|bn", "trillions?"))]
    words.sort(key=lambda item: -max(map(len, item[0].split("|"))))
    return re.compile("|".join(f"((?:{word}))" for word, _ in words), re.IGNORECASE), tuple(v for _, v in words)


def multiplier(before: str, after: str, language: str) -> tuple[int, str, str] | None:
    """(factor, before, after without the word) where a number stands between `before` and `after` and one multiplying
    word directly beside it; None when there is none."""
    pattern, values = _pattern(language)
    stripped = after.lstrip(" ")
    match = pattern.match(stripped)
    if match and not _goes_on(stripped, match.end()):
        return values[(match.lastindex or 1) - 1], before, " " + stripped[match.end() :].removeprefix(".")
    if language == "sw":
        ends = before.rstrip(" ")
        for match in pattern.finditer(ends):
            if match.end() == len(ends) and (match.start() == 0 or not ends[match.start() - 1].isalpha()):
                return values[(match.lastindex or 1) - 1], ends[: match.start()], after
    return None


def _goes_on(text: str, end: int) -> bool:
    """Whether a word in letters with blanks between words goes on at `end`: Thai and the like write on."""
    return text[end : end + 1].isalpha() and not "\u0e00" <= text[end] <= "\u0e7f"
