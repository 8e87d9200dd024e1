"""Numbers as people write them: separators by language, units, percent, powers of ten, fractions, numerals in words.

A text has *readings*: what it means in the notation of its language, and what it means in the English notation that
models and benchmarks use in any language. An answer is right when one of its readings is the gold's.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

from src.grading.multipliers import multiplier
from src.grading.normal import plain_numbers, readable
from src.grading.numerals import east_asian
from src.grading.units import ALONE, SYMBOLS
from src.language.table import LANGUAGES

ENGLISH = (",", ".")
MAXIMUM_EXPONENT = 400  # a larger power of ten is left to the workers
_POWER = re.compile(r"(.*?)\s*(?:\\times|\\cdot|[×·*x])\s*10\s*\^\s*(?:\{\s*([-+]?\d{1,3})\s*\}|([-+]?\d{1,3}))$")
_EXPONENT = re.compile(r"([-+]?\d+(?:\.\d+)?)[eE]([-+]?\d{1,3})")
_SIGN = r"([-+]?)\s*"
_OVER = r"\\frac\s*(?:\{\s*([-+]?\d+)\s*\}\s*\{\s*([-+]?\d+)\s*\}|(\d)\s*(\d))"
_FRACTION = re.compile(_SIGN + _OVER)
_RATIO = re.compile(r"([-+]?)(\d+)\s*/\s*(\d+)")
_MIXED = re.compile(rf"{_SIGN}(\d+)\s*(?:{_OVER}|(?<=\s)(\d+)\s*/\s*(\d+))")
_REPEATING = re.compile(
    r"([-+]?)(\d*)[.,](\d*)(?:\\(?:overline|bar)\s*\{?\s*(\d+)\s*\}?|\((\d+)\)|\\dot\s*\{?(\d)\}?(?:(\d*)\\dot\s*\{?(\d)\}?)?)"
)
_GOING_ON = re.compile(r"([-+]?)(\d*)\.(\d*?)(\d)\4{2,}\s*(?:\.\.\.|…|\\[lc]?dots|\\dotsc)")
_MONEY = "$€£¥₩₽฿৳₹￥₫¢"
_CURRENCY = re.compile(rf"(?:R|US|A|C|S)\$|[{_MONEY}]")
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|°")
# A word that changes the value of the number beside it, or is no word: such a text is no plain number.
_CHANGING = re.compile(
    r"hundred|thousand|million|billion|trillion|dozen|half|quarter|third\b|squared|cubed|twice|\bpairs?\b|\bbn\b|\bdz\b|lakh|crore"
    r"|\bnot\b|\bleast\b|\bmost\b|between|\bsqrt|\bln\b|\blog\b|\bsin|\bcos\b|\btan|\barc|\bexp\b|\bpi\b|\bmod\b|[α-ωΑ-Ω]"
    r"|\bmil\b|\bmille\b|mill[oiãõó]|mili[oa]|bill[oiãõó]|bilh|tausend|hundert|\bmio\b|\bmrd\b|milliarde|halb|\bmedi[oa]\b"
    r"|\bmeia?\b|mezzo|demi|\bcent\b|\bcento\b|тысяч|тыс\b|сот[еа]н|млн|млрд|миллион|миллиард|полов|\bсто\b|elfu|\blaki\b|nusu|\bmia\b"
    r"|হাজার|লাখ|লক্ষ|কোটি|সাড়ে|শত|అర్ధ|వేల|లక్ష|కోట|వంద|ร้อย|พัน|หมื่น|แสน|ล้าน|ครึ่ง|ألف|آلاف|مئة|مليون|ملايين|مليار|نصف"
    r"|\bribu\b|\bjuta\b|\bratus\b|nghìn|ngàn|triệu|trăm|\btỷ\b|\bvạn\b|rưỡi|setengah|[十百千万億亿萬兆만억천백조割]|[半반]$"
    r"|分之|分の|분의|平方|立方|제곱|根|루트",
    re.IGNORECASE,
)
_WORD_BESIDE = re.compile(r"(?!(?:sqrt|infty|frac)(?![^\W\d_]))(?<![^\W\d_])[^\W\d_]{4,}", re.IGNORECASE)
_MINUS = re.compile(
    r"\s*(?:[-–]\s*|(?:minus|negative|menos|moins|meno|negatif|минус|hasi|âm|سالب|ناقص|মাইনাস|మైనస్|マイナス|마이너스|ลบ|负|負)\s*)",
    re.IGNORECASE,
)
# One number in running text; a ratio and a power of ten belong to it.
_PLAIN = r"(?:(?<![\d.,])\d{1,3}(?: \d{3}(?![\d]))+(?:[.,]\d+)?|\d[\d.,'’]*\d|\d)"
_TIMES_TEN = r"\s*(?:\\times|\\cdot|[×·])\s*10\s*\^\s*(?:\{[-+]?\d+\}|[-+]?\d+)"
_FRAC = r"\\frac\s*\{\s*\d+\s*\}\s*\{\s*\d+\s*\}"
# A minus is one after a letter of a script that is written without blanks; after others it joins a word: F-16.
_IN_TEXT = re.compile(
    rf"(?<![A-Za-zÀ-ɏЀ-ӿ\d_])[-+–]?(?:(?<![\d.,])\d+(?:\s*{_FRAC}|\s+\d+\s*/\s*\d+)|{_PLAIN}(?:{_TIMES_TEN})?(?:\s*/\s*\d+)?|{_FRAC})"
    r"|\d[\d.,]*"
)
_UNIT_POWER = re.compile(
    r"(?<=[^\W\d_])\s*\^\s*(?:\{\s*-?[123]\s*\}|[23])|(?<=[^\W\d_])[/·](?=[^\W\d_])|(?<=\s)/\s*(?=[^\W\d_])"
)
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])|^-(?=[^\W\d_])")  # 18-year
_CALLED = re.compile(r"(?<=[^\W\d_])!+\s*$")
_PRODUCT = re.compile(r"[-+]?\d+(?:\.\d+)?([A-Za-z]+)")
_GLUED_WORD = re.compile(r"[^\W\d_]+")
_SAFE_GOLD = re.compile(
    rf"[-+–{_MONEY}\s]*"
    r"(?:\d*\s*\\frac[^a-zA-Zπ]*|[\d.][^a-zA-Z\\!π_:]*(?:e[-+]?\d+)?(?:\\(?:times|cdot)[^a-zA-Z]*)?)"
    r"(?:\s(?!\s*[thsdl]\s*$)[^\d+*/=\\-]*|\s*(?:[%°]|\^\s*\{?\s*\\circ\s*\}?))?"
)
_BOTH_MARKS = re.compile(r"\d[. ]\d{3}.*,\d")
_SQUARE = re.compile(r"(?<=\d)\s*(?:平方|立方|세제곱|제곱)(?=[^\W\d_])")  # 12平方米
_PERCENT = re.compile(
    r"(?<![^\W\d_])(?:per\s?cent(?:age|o)?|pct|prozent|pour\s?cent|por\s?ciento|por\s?cento|процент(?:а|ов|ы)?|asilimia|persen|peratus)"
    r"(?![^\W\d_])|phần trăm|ร้อยละ|เปอร์เซ็นต์|パーセント|퍼센트|프로|শতাংশ|శాతం|في المئة|في المائة|بالمئة|بالمائة|百分比",
    re.IGNORECASE,
)
_MULTIPLYING = re.compile(r"(?<![^\W\d_])(elfu|laki|milioni|bilioni|mia)\s+$")
# Words right after a number in which one may be that changes it: 1.5 million, 5 and a half.
_BESIDE_NUMBER = re.compile(
    r"\s*(?:(?:and|und|et|y|e|и)\s+(?:an?\s+|une?\s+)?)?[^\W\d_]+(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0e7f])*"
)
_METRIC = re.compile(r"(?<=\d)\s*千(?=[米克瓦卡])")  # 18千米 is 18 km; elsewhere 千 is a thousand
_BESIDE = frozenset(" ()%.:;?\"“”«»„‚‘’',°")  # signs that leave a number what it is


def readings(text: str, language: str = "en") -> tuple[Fraction, ...]:
    """The values a normalised text may have as a number, its own language's first; empty when it is no number.

    `25%` is 25 and also 1/4: a question may ask for the percentage or for the share.
    """
    if text.isascii() and text.isdigit():
        return (Fraction(int(text)),)
    return _readings(text, language)


def gold_value(text: str, language: str = "en") -> Fraction | None:
    """The one value of a normalised gold answer, in English notation (`1,234.5`), or in that of its language where
    both of its marks stand (`1.234,5`). Letters of variables and words before a number make it no number."""
    if text.isascii() and text.isdigit():
        return Fraction(int(text))
    if not _SAFE_GOLD.fullmatch(text):
        return _repeating(text)
    values = _readings(text, "en") or (_readings(text, language) if _BOTH_MARKS.search(text) else ())
    return values[0] if values else None


def in_words(text: str) -> bool:
    """Whether a normalised text is one number among words that is not read: 5 and a half, between 5 and ten."""
    return "\\" not in text and len(_IN_TEXT.findall(text)) == 1 and _WORD_BESIDE.search(text) is not None


def is_product(text: str) -> bool:
    """Whether a normalised text is a number with letters at it that are no unit: 5ab."""
    match = _PRODUCT.fullmatch(text)
    return match is not None and match[1] not in SYMBOLS


def numbers_in(text: str) -> list[str]:
    """The numbers of running text as they are written, digits of any script as 0-9, LaTeX's whole; none that belong to a
    formula or to a name (F-16)."""
    text = _PERCENT.sub("%", plain_numbers(readable(text)))
    numbers = []
    for number in _IN_TEXT.finditer(text):
        before, after = text[: number.start()][-2:], text[number.end() :][:3].lstrip(" ")
        named = before[-1:] in "-–" and before[:1].isalpha()
        if not named and before[-1:] not in ("\\", "^", "_", "{") and not after.startswith(("^", "_", "\\", "{")):
            percent = "%" if after.startswith(("%", "٪")) or before.rstrip(" ").endswith("%") else ""
            written = number.group().rstrip(".,") + percent
            multiplied = _MULTIPLYING.search(text[: number.start()][-12:])
            beside = _BESIDE_NUMBER.match(text, number.end())
            changing = beside.group() if beside and _CHANGING.search(beside.group()) else ""
            numbers.append((f"{multiplied[1]} " if multiplied else "") + written + changing)
    return numbers


@lru_cache(maxsize=65_536)
def _readings(text: str, language: str) -> tuple[Fraction, ...]:
    text = _DEGREES.sub("°", text)
    values = _bare(text, language)
    if values:
        return values
    over = text.removeprefix("百分之") if text.startswith("百分之") else ""
    core, percent, factor = (over, True, 1) if over.replace(".", "", 1).isdigit() else _core(text, language)
    if core is not None:
        values = tuple(value * factor for value in _bare(core, language))
        return tuple(dict.fromkeys([*values, *(value / 100 for value in values)])) if percent else values
    value = None if text.isascii() else east_asian(text, language)
    if value is None:
        return ()
    return (value * 100, value) if over else (value,)


def _bare(text: str, language: str) -> tuple[Fraction, ...]:
    """Readings of a number without words around it."""
    if "frac" in text or "/" in text:
        return _fraction(text, language)
    if "\\" in text or "(" in text or "." in text[-3:] or "…" in text:
        repeating = _repeating(text)
        if repeating is not None:
            return (repeating,)
    power = _POWER.fullmatch(text)
    if power:
        raised = int(power[2] or power[3])
        scale = Fraction(10) ** raised if abs(raised) <= MAXIMUM_EXPONENT else Fraction(0)
        mantissas = _bare(power[1], language) if power[1] not in ("", "+", "-") and scale else ()
        return tuple(mantissa * scale for mantissa in mantissas)
    exponent = _EXPONENT.fullmatch(text)
    if exponent and abs(int(exponent[2])) <= MAXIMUM_EXPONENT:
        return (Fraction(exponent[1]) * Fraction(10) ** int(exponent[2]),)
    own = LANGUAGES[language].separators if language in LANGUAGES else ENGLISH
    values = [_decimal(text, own), _decimal(text, ENGLISH)]
    if language == "ar" and values == [None, None]:
        values = [_decimal(text, (".", ","))]  # ١٢,٥
    return tuple(dict.fromkeys(value for value in values if value is not None))


def _fraction(text: str, language: str) -> tuple[Fraction, ...]:
    """Of \\frac{1}{2}, 1/2, and of mixed numbers: 3 1/2, 3\\frac{1}{2}."""
    fraction = _FRACTION.fullmatch(text)
    if fraction:
        sign, top, bottom, short_top, short_bottom = fraction.groups()
        return _ratio(sign, int(top or short_top), int(bottom or short_bottom))
    ratio = _RATIO.fullmatch(text)
    if ratio:
        return _ratio(ratio[1], int(ratio[2]), int(ratio[3]))
    mixed = _MIXED.fullmatch(text)
    if mixed:
        sign, whole, *parts = mixed.groups()
        top, bottom = (int(part) for part in parts if part is not None)
        return _ratio(sign, int(whole) * bottom + top, bottom) if 0 < top < bottom else ()
    top_text, slash, bottom_text = text.partition("/")
    if slash and "/" not in bottom_text:  # 1,5/2
        tops, bottoms = _bare(top_text.strip(), language), _bare(bottom_text.strip(), language)
        if len(tops) == 1 and len(bottoms) == 1 and bottoms[0]:
            return (tops[0] / bottoms[0],)
    return ()


def _ratio(sign: str, top: int, bottom: int) -> tuple[Fraction, ...]:
    return (Fraction(-top if sign == "-" else top, bottom),) if bottom else ()


def _repeating(text: str) -> Fraction | None:
    """The value of a repeating decimal: 0.\\overline{36}, 0.1(6), 0.\\dot{3}, 0.333..."""
    match = _REPEATING.fullmatch(text)
    if match:
        sign, whole, fixed, over, bracketed, first, between, last = match.groups()
        period = over or bracketed or first + (between or "") + (last or "")
    else:
        match = _GOING_ON.fullmatch(text)
        if not match:
            return None
        sign, whole, fixed, period = match.groups()
    value = Fraction(
        int((whole or "0") + fixed + period) - int((whole or "0") + fixed), 10 ** len(fixed) * (10 ** len(period) - 1)
    )
    return -value if sign == "-" else value


@lru_cache(maxsize=16)
def _pattern(thousands: str, mark: str) -> re.Pattern[str]:
    """Thousands in threes, by the separator or by blanks, or the Indian way (1,00,000), or not at all."""
    groups = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d{{1,3}}(?: \d{{3}})+|\d{{1,3}}(?:['’]\d{{3}})+"
    if thousands == ",":
        groups += r"|\d{1,2}(?:,\d{2})+,\d{3}"
    return re.compile(rf"([-+]? ?)({groups}|\d+)?(?:{re.escape(mark)}(\d+))?", re.ASCII)


def _decimal(text: str, separators: tuple[str, str]) -> Fraction | None:
    match = _pattern(*separators).fullmatch(text)
    if not match or not (match[2] or match[3]):
        return None
    digits = re.sub(r"\D", "", match[2] or "0")
    value = Fraction(f"{digits}.{match[3] or 0}")
    return -value if "-" in match[1] else value


def _core(text: str, language: str) -> tuple[str | None, bool, int]:
    """The only number of a text that is otherwise words, units and currency; whether it is a percentage; and what a word
    beside it multiplies it by."""
    bare = _PERCENT.sub("%", _CURRENCY.sub(" ", text))
    lead = _MINUS.match(bare)
    sign = "-" if lead else ""
    bare = _SQUARE.sub(" ", _METRIC.sub(" ", bare[lead.end() :] if lead else bare))
    bare = _CALLED.sub("", _UNIT_POWER.sub(" ", bare))
    matches = list(_IN_TEXT.finditer(bare))
    if len(matches) != 1 or (sign and matches[0].group()[0] in "-+–"):
        return None, False, 1
    number = matches[0].group()
    before, after = bare[: matches[0].start()], bare[matches[0].end() :]
    if "," in number and before.strip() and before.strip()[-1] in "([" and after.strip()[:1] in (")", "]"):
        return None, False, 1  # (1,2) is a pair
    multiplied = multiplier(before, after, language)
    factor, before, after = multiplied or (1, before, after)
    rest = _HYPHEN.sub(" ", before) + " " + _HYPHEN.sub(" ", after)
    if _CHANGING.search(rest) or not all(_harmless(c) for c in rest):
        return None, False, 1
    glued = _GLUED_WORD.match(after)
    if glued and glued.group().isascii() and glued.group() not in SYMBOLS:
        return None, False, 1
    words = "".join(c if _letter(c) else " " for c in before + " " + after[glued.end() if glued else 0 :]).split()
    if any(len(word) == 1 and word.isascii() and word not in ALONE for word in words):
        return None, False, 1
    if any(len(word) == 1 and word.isascii() and word.isalpha() for word in before.split()):
        return None, False, 1  # t (5)
    return sign + number.replace("–", "-"), "%" in after[:2] or "%" in before[-2:], factor


def _letter(character: str) -> bool:
    """A letter or a mark on one; superscripts and the like are numbers."""
    return unicodedata.category(character)[0] in "LM"


def _harmless(character: str) -> bool:
    return character in _BESIDE or _letter(character)
