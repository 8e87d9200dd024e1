"""Questions in plain notation: half-width digits, numbers without thousands separators, and the names gcd, lcm and mod.

What could mean something else stays: `1.234` in Spanish may be a decimal of an English source, `(1,200)` in Japanese a point,
`100,200,300` a list; `1,200個` counts something. Only the notation changes, never a value.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial

_FULL_WIDTH = re.compile("[０-９]+")
_BETWEEN_DIGITS = re.compile("(?<=[0-9])[，．](?=[0-9])")
_SPACE = "[\u00a0\u2009\u202f]"  # no-break and thin: what a typesetter puts between thousands
_BEGINS = r"(?<![\d.,])(?<!\d" + _SPACE + ")"
_ENDS = r"(?![\d])(?!" + _SPACE + r"?\d)"
# In Japanese a comma also separates the members of a list: a number is one that something is counted in.
_COUNTED = r"(?=[ ]?[\u4e00-\u9fff\u30a1-\u30fa%％]|[ ]?(?:k?m|k?g|cm|mm|L|mL)(?![A-Za-z]))"
_MONEY = r"(?<=[¥￥$€])"
# Language -> numbers in groups of three: how they are written, and the separator.
_THOUSANDS = {
    "ja": (
        (rf"{_BEGINS}\d{{1,3}}(?:,\d{{3}})+{_ENDS}{_COUNTED}", re.compile(",")),
        (rf"{_MONEY}\d{{1,3}}(?:,\d{{3}})+{_ENDS}", re.compile(",")),
    ),
    "es": (
        (rf"{_BEGINS}\d{{1,3}}(?:{_SPACE}\d{{3}})+{_ENDS}", re.compile(_SPACE)),
        (rf"{_BEGINS}\d{{1,3}}(?:\.\d{{3}}){{2,}}{_ENDS}", re.compile(r"\.")),
    ),
}
# Spanish names before what they are applied to; the words in full are language and stay.
_NAMES = {
    "es": (
        (re.compile(r"(?i)(?<![\w\\])(?:m\. ?c\. ?d\.|mcd)(?=\s*[({])"), "gcd"),
        (re.compile(r"(?i)(?<![\w\\])(?:m\. ?c\. ?m\.|mcm)(?=\s*[({])"), "lcm"),
        (re.compile(r"\\(?:operatorname|text|mathrm)\{\s*(?:[mM]\.?[cC]\.?[dD]\.?)\s*\}"), r"\\gcd"),
        (re.compile(r"\\(?:operatorname|text|mathrm)\{\s*(?:[mM]\.?[cC]\.?[mM]\.?)\s*\}"), r"\\operatorname{lcm}"),
        (re.compile(r"(?<![\w\\])m[óo]d(?:\.|ulo)?(?=\s+\d|\s*\(\s*\d)"), "mod"),
    )
}


def plain_notation(text: str, language: str) -> str:
    """The text in plain notation: digits in every language, separators in Japanese and Spanish, names in Spanish.

    >>> plain_notation("りんごが１，２００個と3,400個あります。", "ja")
    'りんごが1200個と3400個あります。'
    >>> plain_notation("Halla el mcd(12, 18) de 1.234.567.", "es")
    'Halla el gcd(12, 18) de 1234567.'
    """
    text = _FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = _BETWEEN_DIGITS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    for pattern, separator in _THOUSANDS.get(language, ()):
        text = re.sub(pattern, partial(_joined, separator), text)
    for name, plain in _NAMES.get(language, ()):
        text = name.sub(plain, text)
    return text


def _joined(separator: re.Pattern[str], match: re.Match[str]) -> str:
    return separator.sub("", match[0])
