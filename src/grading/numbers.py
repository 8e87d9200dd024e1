"""Numbers as people write them: separators by language, units, percent, powers of ten, fractions, numerals in words.

A text has *readings*: what it means in the notation of its language, and what it means in the English notation that
models and benchmarks use in any language. An answer is right when one of its readings is the gold's.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

from src.grading.normal import readable
from src.grading.numerals import east_asian
from src.language.table import LANGUAGES

ENGLISH = (",", ".")
MAXIMUM_EXPONENT = 400  # a larger power of ten is left to the workers
_POWER = re.compile(r"(.*?)\s*(?:\\times|\\cdot|[×·*x])\s*10\s*\^\s*(?:\{\s*([-+]?\d{1,3})\s*\}|([-+]?\d{1,3}))$")
_EXPONENT = re.compile(r"([-+]?\d+(?:\.\d+)?)[eE]([-+]?\d{1,3})")
_FRACTION = re.compile(r"([-+]?)\\frac\s*(?:\{\s*([-+]?\d+)\s*\}\s*\{\s*([-+]?\d+)\s*\}|(\d)(\d))")
_RATIO = re.compile(r"([-+]?\d+)\s*/\s*(\d+)")
_NAMED = re.compile(r"^[A-Za-z]\s*=\s*")
_MONEY = "$€£¥₩₽฿৳₹￥₫¢"
_CURRENCY = re.compile(rf"(?:R|US|A|C|S)\$|[{_MONEY}]")
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|°")
# Latin letters that are a unit when they follow a number at once; elsewhere letters at a number are variables.
_UNITS = (
    "m g s h l L cm mm km kg mg ml cl dl dm ha ft in mi mph lb lbs oz min sec hr hrs Hz kW kWh W V N J K C F GB MB kB rad "
    "deg st nd rd th am pm bps"
)
_GLUED = frozenset(_UNITS.split())
_ALONE = frozenset(["m", "g", "s", "h", "l", "L", "t", "N", "J", "W", "V", "C", "F"])  # the same after a blank
# A word that changes the value of the number beside it, or is no word: such a text is no plain number.
_CHANGING = re.compile(
    r"hundred|thousand|million|billion|trillion|dozen|half|quarter|third\b|squared|cubed|twice|\bpairs?\b|\bbn\b|\bdz\b|lakh|crore"
    r"|\bnot\b|\bleast\b|\bmost\b|between|\bsqrt|\bln\b|\blog\b|\bsin|\bcos\b|\btan|\barc|\bexp\b|\bpi\b|\bmod\b|[α-ωΑ-Ω]"
    r"|\bmil\b|\bmille\b|mill[oiãõó]|mili[oa]|bill[oiãõó]|bilh|tausend|hundert|\bmio\b|\bmrd\b|milliarde|halb|\bmedi[oa]\b"
    r"|\bmeia?\b|mezzo|demi|\bcent\b|\bcento\b|тысяч|тыс\b|сот[еа]н|млн|млрд|миллион|миллиард|полов|\bсто\b|elfu|\blaki\b|nusu|\bmia\b"
    r"|হাজার|লাখ|লক্ষ|কোটি|সাড়ে|শত|అర్ధ|వేల|లక్ష|కోట|వంద|ร้อย|พัน|หมื่น|แสน|ล้าน|ครึ่ง|ألف|آلاف|مئة|مليون|ملايين|مليار|نصف"
    r"|\bribu\b|\bjuta\b|\bratus\b|nghìn|ngàn|triệu|trăm|\btỷ\b|\bvạn\b|rưỡi|setengah|[十百千万億亿萬兆만억천백조割]|[半반]$"
    r"|分之|分の|분의|平方|제곱|根|루트",
    re.IGNORECASE,
)
_MINUS = re.compile(
    r"\s*(?:[-–]\s*|(?:minus|negative|menos|moins|meno|negatif|минус|hasi|âm|سالب|ناقص|মাইনাস|మైనస్|マイナス|마이너스|ลบ|负|負)\s*)",
    re.IGNORECASE,
)
# One number in running text; a ratio and a power of ten belong to it.
_PLAIN = r"(?:\d[\d.,'’]*(?: \d{3}(?!\d)[\d.,]*)*\d|\d)"
_TIMES_TEN = r"\s*(?:\\times|\\cdot|[×·])\s*10\s*\^\s*(?:\{[-+]?\d+\}|[-+]?\d+)"
_IN_TEXT = re.compile(
    rf"(?<!\w)[-+–]?(?:{_PLAIN}(?:{_TIMES_TEN})?(?:\s*/\s*\d+)?|\\frac\s*\{{\s*\d+\s*\}}\s*\{{\s*\d+\s*\}})|\d[\d.,]*"
)
_UNIT_POWER = re.compile(
    r"(?<=[^\W\d_])\s*\^\s*(?:\{\s*-?[123]\s*\}|[23])|(?<=[^\W\d_])[/·](?=[^\W\d_])|(?<=\s)/\s*(?=[^\W\d_])"
)
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])|^-(?=[^\W\d_])")  # 18-year
_CALLED = re.compile(r"(?<=[^\W\d_])!+\s*$")
_PRODUCT = re.compile(r"[-+]?\d+(?:\.\d+)?([A-Za-z]+)")
_GLUED_WORD = re.compile(r"[^\W\d_]+")
_SAFE_GOLD = re.compile(
    rf"(?:[A-Za-z]\s*=\s*)?[-+–{_MONEY}\s]*"
    r"(?:\\frac[^a-zA-Zπ]*|[\d.][^a-zA-Z\\!π_:]*(?:e[-+]?\d+)?(?:\\(?:times|cdot)[^a-zA-Z]*)?)"
    r"(?:\s[^\d+*/=\\-]*|\s*(?:[%°]|\^\s*\{?\s*\\circ\s*\}?))?"
)
_BOTH_MARKS = re.compile(r"\d[. ]\d{3}.*,\d")
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
        return None
    values = _readings(text, "en") or (_readings(text, language) if _BOTH_MARKS.search(text) else ())
    return values[0] if values else None


def is_product(text: str) -> bool:
    """Whether a normalised text is a number with letters at it that are no unit: 5ab."""
    match = _PRODUCT.fullmatch(text)
    return match is not None and match[1] not in _GLUED


def numbers_in(text: str) -> list[str]:
    """The numbers of running text as they are written, digits of any script as 0-9; none that belong to a formula."""
    text = readable(text)
    numbers = []
    for number in _IN_TEXT.finditer(text):
        before, after = text[: number.start()][-1:], text[number.end() :][:3].lstrip(" ")
        if before not in ("\\", "^", "_", "{") and not after.startswith(("^", "_", "\\", "{")):
            percent = "%" if after.startswith(("%", "٪")) else ""
            numbers.append(number.group().rstrip(".,") + percent)
    return numbers


@lru_cache(maxsize=65_536)
def _readings(text: str, language: str) -> tuple[Fraction, ...]:
    text = _DEGREES.sub("°", _NAMED.sub("", text))
    values = _bare(text, language)
    if values:
        return values
    over = text.removeprefix("百分之") if text.startswith("百分之") else ""
    core, percent = (over, True) if over.replace(".", "", 1).isdigit() else _core(text)
    if core is not None:
        values = _bare(core, language)
        return tuple(dict.fromkeys([*values, *(value / 100 for value in values)])) if percent else values
    value = None if text.isascii() else east_asian(text, language)
    if value is None:
        return ()
    return (value * 100, value) if over else (value,)


def _bare(text: str, language: str) -> tuple[Fraction, ...]:
    """Readings of a number without words around it."""
    fraction = _FRACTION.fullmatch(text)
    if fraction:
        sign, top, bottom, short_top, short_bottom = fraction.groups()
        return _ratio(int(top or short_top) * (-1 if sign == "-" else 1), int(bottom or short_bottom))
    ratio = _RATIO.fullmatch(text)
    if ratio:
        return _ratio(int(ratio[1]), int(ratio[2]))
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
    values = (_decimal(text, own), _decimal(text, ENGLISH))
    return tuple(dict.fromkeys(value for value in values if value is not None))


def _ratio(top: int, bottom: int) -> tuple[Fraction, ...]:
    return (Fraction(top, bottom),) if bottom else ()


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


def _core(text: str) -> tuple[str | None, bool]:
    """The only number of a text that is otherwise words, units and currency, and whether it is a percentage."""
    bare = _CURRENCY.sub(" ", text)
    lead = _MINUS.match(bare)
    sign = "-" if lead else ""
    bare = _CALLED.sub("", _UNIT_POWER.sub(" ", _METRIC.sub(" ", bare[lead.end() :] if lead else bare)))
    matches = list(_IN_TEXT.finditer(bare))
    if len(matches) != 1 or (sign and matches[0].group()[0] in "-+–"):
        return None, False
    number = matches[0].group()
    before, after = bare[: matches[0].start()], bare[matches[0].end() :]
    if "," in number and before.strip() and before.strip()[-1] in "([" and after.strip()[:1] in (")", "]"):
        return None, False  # (1,2) is a pair
    rest = _HYPHEN.sub(" ", before) + " " + _HYPHEN.sub(" ", after)
    if _CHANGING.search(rest) or not all(_harmless(c) for c in rest):
        return None, False
    glued = _GLUED_WORD.match(after)
    if glued and glued.group().isascii() and glued.group() not in _GLUED:
        return None, False
    words = "".join(c if _letter(c) else " " for c in before + " " + after[glued.end() if glued else 0 :]).split()
    if any(len(word) == 1 and word.isascii() and word not in _ALONE for word in words):
        return None, False
    if any(len(word) == 1 and word.isascii() for word in before.split()):
        return None, False  # t (5)
    return sign + number.replace("–", "-"), "%" in after[:2] or "%" in before[-2:]


def _letter(character: str) -> bool:
    """A letter or a mark on one; superscripts and the like are numbers."""
    return unicodedata.category(character)[0] in "LM"


def _harmless(character: str) -> bool:
    return character in _BESIDE or _letter(character)
