"""Numerals in words of Chinese, Japanese and Korean: 三千五百, 十二億, 3万5千, 이십삼, 三分之一."""

from __future__ import annotations

import re
from fractions import Fraction

_DIGIT_SIGNS = [
    "〇零○영공",
    "一壹壱弌일",
    "二两兩贰弐이",
    "三叁参삼",
    "四肆사",
    "五伍오",
    "六陆육륙",
    "七柒칠",
    "八捌팔",
    "九玖구",
]
_DIGITS = {sign: value for value, signs in enumerate(_DIGIT_SIGNS) for sign in signs}
_SMALL = {"十": 10, "拾": 10, "십": 10, "百": 100, "佰": 100, "백": 100, "千": 1000, "仟": 1000, "천": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "만": 10**4, "亿": 10**8, "億": 10**8, "억": 10**8}
_NUMERALS = "".join([*_DIGITS, *_SMALL, *_LARGE])
COUNTERS = (
    "個个箇つ本人名匹頭羽枚冊台台回度年月日時分秒円元块塊支只隻条條张張辆輛斤米克吨噸里升天岁歲周週朵颗顆粒瓶杯盒包袋件位次双雙页頁磅"
    "개명원권마리살시간분초일주달년번장대잔병송이자루도미터그램킬로층"
)
# A numeral, then at most a counter or a unit, then what is counted after a blank.
_COUNTED = re.compile(
    rf"(负|負|마이너스|マイナス|-)?\s*((?:[{_NUMERALS}]|(?<!\d)(?<!\d\.)\d+(?:\.\d+)?(?!\d)|(?<=[{_NUMERALS}]) (?=[{_NUMERALS}\d]))+)"
    rf"\s*([{COUNTERS}]{{0,4}})[^\W\d_]{{0,8}}"
)
_APART = re.compile(rf"(?<=\d)\s+(?=[{''.join([*_SMALL, *_LARGE])}])")  # 1.25 万
_PART = re.compile(rf"\d+(?:\.\d+)?|[{_NUMERALS}]")
_OVER = re.compile(r"(.+?)(?:分之|분의 ?|分の)(.+)")
_POINT = re.compile(rf"([{_NUMERALS}]+)点([{''.join(_DIGITS)}]+)")


def east_asian(text: str, language: str) -> Fraction | None:
    """The value of a normalised text that is one numeral with at most a counter; None when it is not."""
    whole, _, rest = text.partition("又")
    if rest:  # 五又二分之一
        one, other = east_asian(whole, language), east_asian(rest, language)
        return None if one is None or other is None else one + other
    over = _OVER.fullmatch(text)
    if over:
        bottom, top = (_number(part, language) for part in (over[1], over[2]))
        return top / bottom if top is not None and bottom else None
    point = _POINT.fullmatch(text)
    if point:
        value = _value(_PART.findall(point[1]), language)
        return None if value is None else value + Fraction("0." + "".join(str(_DIGITS[c]) for c in point[2]))
    text = _APART.sub("", text)
    counted = _COUNTED.fullmatch(text.replace(",", ""))
    if not counted or any(c in _NUMERALS for c in text[counted.end(2) :]):
        return None
    if not counted[3] and text[counted.end(2) :].strip():  # 三角形: letters that are no counter
        return None
    parts = _PART.findall(counted[2])
    if not any(part in _SMALL or part in _LARGE or part in _DIGITS for part in parts):
        return None  # only digits: not for this reader
    value = _value(parts, language)
    return -value if value is not None and counted[1] else value


def _number(text: str, language: str) -> Fraction | None:
    text = text.strip()
    return Fraction(text) if re.fullmatch(r"\d{1,30}", text) else east_asian(text, language)


def _value(parts: list[str], language: str) -> Fraction | None:
    if all(part in _DIGITS for part in parts):  # 二〇二四: digits by place
        return Fraction(int("".join(str(_DIGITS[part]) for part in parts)))
    total = Fraction(0)
    section = Fraction(0)
    number = Fraction(-1)  # -1: none is waiting for its unit
    unit = Fraction(1)
    zero = False
    for part in parts:
        if part in _SMALL or part in _LARGE:
            size = Fraction(_SMALL.get(part) or _LARGE[part])
            if part in _SMALL:
                section += (number if number >= 0 else 1) * size
            else:
                section += max(number, Fraction(0))
                if section == 0 and total == 0:
                    section = Fraction(1)
                total = (total + section) * size if size > 10**4 else total + section * size
                section = Fraction(0)
            number = Fraction(-1)
            unit = size
            zero = False
        elif number >= 0 and number != 0:
            return None  # two digits in a row between units
        else:
            digit = Fraction(_DIGITS[part]) if part in _DIGITS else Fraction(part)
            zero = zero or digit == 0
            number = digit
    if number >= 0:
        short = language == "zh" and unit >= 100 and not zero and parts[-1] in _DIGITS
        section += number * unit / 10 if short else number  # 二百五 is 250 in Chinese, 205 in Japanese
    return total + section
