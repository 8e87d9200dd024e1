"""One way of writing: digits of any script become 0-9, wide forms plain ones, what cannot be seen goes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAXIMUM_ANSWER = 500  # characters: a longer one is not read (no benchmark has such an answer)
# Full-width forms, other blanks, minus signs and separators. Not NFKC: that would read 5² as 52.
_FORMS: dict[int, int | str | None] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FORMS |= dict.fromkeys((0x09, 0x0A, 0x0D, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), 0x20)
_FORMS |= {0x2212: "-", 0xFE63: "-", 0x066B: ".", 0x066C: ",", 0x066A: "%", 0x060C: ",", 0x3001: ",", 0xFF61: "."}
# Control characters, zero-width characters and marks of writing direction.
_FORMS |= dict.fromkeys(
    (
        *(*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xAD, 0x61C),
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF),
    )
)
_SPACES = re.compile(r"(?<!\\)\\[;: ]|\\q?quad(?![a-zA-Z])|~")
_THIN = re.compile(r"(?<!\\)\\[,!]")
_STYLE = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt)?|math(?:rm|bf|it|sf|tt|normal)|mbox|boldsymbol|operatorname|underline|emph)\s*\{([^{}]*)\}"
)
_SIZED = re.compile(
    r"\\(?:left|right|big|Big|bigg|Bigg|displaystyle|limits|large|Large|bf|it|rm)(?![a-zA-Z])|\\color\s*\{[a-z]*\}"
)
_LATEX = {
    "\\dfrac": "\\frac",
    "\\tfrac": "\\frac",
    "\\lbrace": "\\{",
    "\\rbrace": "\\}",
    "\\varnothing": "\\emptyset",
    "\\degree": "°",
    "\\%": "%",
    "\\$": "$",
    "{.}": ".",
}
_SIGNS = {
    "∞": "\\infty ",
    "∪": "\\cup ",
    "∩": "\\cap ",
    "∅": "\\emptyset ",
    "½": "\\frac{1}{2}",
    "⅓": "\\frac{1}{3}",
    "⅔": "\\frac{2}{3}",
    "¼": "\\frac{1}{4}",
    "¾": "\\frac{3}{4}",
    "≤": "\\le ",
    "≥": "\\ge ",
    "±": "\\pm ",
}
_RAISED = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,9}")
_PLAIN_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_ROOT = re.compile(r"√\s*(?:(\d+|[A-Za-z])|\(([^()]*)\))")
_DECORATED = re.compile(r"^(?:\\\[|\\\(|\*\*|=|\\approx|≈|\s)+|(?:\\\]|\\\)|\*\*|[.。।]|\s)+$")
_WIDE = 4  # times MAXIMUM_ANSWER: what cannot be seen may fill so much before a text is too long to look at


def normalise(answer: str) -> str:
    """`answer` in one way of writing, without decorations of LaTeX and markdown.

    More than `MAXIMUM_ANSWER` characters are not an answer: they become the empty text, which nothing equals.
    """
    text = answer.strip()
    if len(text) <= MAXIMUM_ANSWER and text.isascii() and text.isalnum():
        return text
    return _normalise(text) if len(text) <= _WIDE * MAXIMUM_ANSWER else ""


def readable(text: str) -> str:
    """Running text with digits of any script as 0-9 and one kind of blanks, minus signs and separators."""
    text = text.translate(_FORMS)
    return text if text.isascii() else "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)


@lru_cache(maxsize=65_536)
def _normalise(text: str) -> str:
    text = readable(unicodedata.normalize("NFC", text)).strip()
    if len(text) > MAXIMUM_ANSWER:
        return ""
    while len(text) > 1 and text.startswith("$") and text.endswith("$"):
        text = text[1:-1].strip()
    text = _DECORATED.sub("", text)
    if not text.isascii():
        text = _RAISED.sub(lambda match: "^{" + match.group().translate(_PLAIN_SUPERSCRIPTS) + "}", text)
        text = _ROOT.sub(lambda match: "\\sqrt{" + (match[1] or match[2]) + "}", text)
        for sign, command in _SIGNS.items():
            text = text.replace(sign, command)
    if "{,}" in text:
        text = text.replace("{,}", ",")
    if "\\" in text or "~" in text:
        text = _SIZED.sub("", _SPACES.sub(" ", _THIN.sub("", text)))
        for command, plain in _LATEX.items():
            text = text.replace(command, plain)
        for _ in range(3):  # styles in styles
            text = _STYLE.sub(r" \1 ", text)
    return text.strip()
