"""One way of writing: digits of any script become 0-9, wide forms plain ones, what cannot be seen goes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from src.grading.units import without_text_units

MAXIMUM_ANSWER = 500  # characters: a longer one is not read (no benchmark has such an answer)
# Full-width forms, other blanks, minus signs and separators. Not NFKC: that would read 5² as 52.
_FORMS: dict[int, int | str | None] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FORMS |= dict.fromkeys((0x09, 0x0A, 0x0D, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), 0x20)
_FORMS |= dict.fromkeys((0x2212, 0xFE58, 0xFE63, 0x2796, 0x02D7), "-")
_FORMS |= {0x066B: ".", 0x066C: ",", 0x066A: "%", 0xFE6A: "%", 0x060C: ",", 0x3001: ",", 0xFF61: ".", 0x061B: ";"}
_FORMS |= {0x2044: "/", 0x2215: "/", 0x2236: ":", 0xA60C: ","}
# Control characters, zero-width characters and marks of writing direction, and what makes a sign an emoji.
_FORMS |= dict.fromkeys(
    (
        *(*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xAD, 0x61C),
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0xFE0E, 0xFE0F),
    )
)
# LaTeX whose backslash an escape of JSON or Python has eaten: \frac became a form feed and "rac".
_EATEN = {
    "\f": ("\\f", r"(?=rac|lat|orall|box)"),
    "\b": ("\\b", r"(?=oxed|inom|eta|ar\b|ar\{|egin|ullet|ig|mod)"),
    "\t": ("\\t", r"(?=ext|imes|heta|an\b|frac|o\b|au|riangle|herefore|ilde)"),
    "\r": ("\\r", r"(?=ight|ho|angle|floor|ceil|m\b)"),
    "\v": ("\\v", r"(?=ec|ert|arnothing|ee)"),
    "\a": ("\\a", r"(?=lpha|pprox|ngle|rc|st)"),
    "\n": ("\\n", r"(?=eq\b|abla\b|otin\b)"),
}
_EATEN_HERE = [(re.compile(re.escape(mark) + follows), "\\" + plain) for mark, (plain, follows) in _EATEN.items()]
_CONTROL = re.compile(r"[\x07-\x0d]")
_MINUS = r"[‐‑‒–—―－]"
_LEADING_DASH = re.compile(rf"(?<![A-Za-zÀ-ɏЀ-ӿ0-9)\]}}%°]){_MINUS}\s*(?=[$€£¥₩\d\\.(√])|(?<![^\W\d_])ー(?=\d)")
_SPACES = re.compile(r"(?<!\\)\\[;: ]|\\q?quad(?![a-zA-Z])|~")
_COMMA = re.compile(r"(?<=\d)(?:\{,\}|,\s*\\!)\s*(?=\d{3}(?!\d))|\{,\}")  # a thousands separator in TeX
_THIN = re.compile(r"(?<!\\)\\[,!]")
_WORDS = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|mbox|hbox|emph|underline)\s*\{([^{}]*)\}")
_STYLE = re.compile(r"\\(?:math(?:rm|bf|it|sf|tt|normal)|boldsymbol|bm|operatorname\*?)\s*\{([^{}]*)\}")
_SIZED = re.compile(
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|large|Large|bf|it|rm)(?![a-zA-Z])|\\color\s*\{[a-z]*\}"
    r"|\\textcolor\s*\{[a-z]*\}"
)
_LATEX = {
    "\\dfrac": "\\frac",
    "\\tfrac": "\\frac",
    "\\cfrac": "\\frac",
    "\\langle": "(",
    "\\rangle": ")",
    "\\lbrace": "\\{",
    "\\rbrace": "\\}",
    "\\varnothing": "\\emptyset",
    "\\degree": "°",
    "\\%": "%",
    "\\$": "$",
    "\\&": "&",
    "\\#": "#",
    "{.}": ".",
}
_FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⅐⅑⅒"
_SIGNS = {
    "∞": "\\infty ",
    "∪": "\\cup ",
    "∩": "\\cap ",
    "∅": "\\emptyset ",
    "≤": "\\le ",
    "≥": "\\ge ",
    "≠": "\\ne ",
    "±": "\\pm ",
    "∈": "\\in ",
    "≈": "\\approx ",
} | {
    sign: "\\frac{{{}}}{{{}}}".format(*unicodedata.normalize("NFKC", sign).split("\N{FRACTION SLASH}"))
    for sign in _FRACTIONS
}
_BARRED = re.compile("(?:[0-9][\u0304\u0305])+")  # 0.3̅
_RAISED = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,9}")
_LOWERED = re.compile("[₀₁₂₃₄₅₆₇₈₉]{1,9}")
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺₀₁₂₃₄₅₆₇₈₉", "0123456789-+0123456789")
_ROOT = re.compile(r"√\s*(?:(\d+|[A-Za-z])|\(([^()]*)\)|\{([^{}]*)\})")
_ORNAMENT = "\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff\u2900-\u297f"  # emoji and arrows
_QUOTED = re.compile(r"^[「『【《〈“\"«„](.*)[」』】》〉”\"»“]$", re.DOTALL)
_DECORATED = re.compile(
    rf"^(?:\\\[|\\\(|\*\*|__|=|\\approx(?![a-z])|≈|[∴{_ORNAMENT}]|\\(?:therefore|implies|Rightarrow|rightarrow|to|longrightarrow"
    rf"|iff|boxed(?=\s*\d))(?![a-z])|\s)+|(?:\\\]|\\\)|\*\*|__|[.。।{_ORNAMENT}]|\s)+$"
)
_GOING_ON = re.compile(r"(?<=\d)(?:\.{3,}|…)")
# Dollar signs that open and close a formula: not beside a blank within, and none before a digit.
_INLINE = re.compile(r"(?<![\\$\d])\$(?!\s)([^$]*[^\s$\\])\$(?![\d$])")
_SOLUTION = re.compile(r".*####\s*(\S[^\n]*)", re.DOTALL)
_WIDE = 4  # times MAXIMUM_ANSWER: what cannot be seen may fill so much before a text is too long to look at


def normalise(answer: str) -> str:
    """`answer` in one way of writing, without decorations of LaTeX and markdown.

    More than `MAXIMUM_ANSWER` characters are not an answer: they become the empty text, which nothing equals.
    """
    text = answer.strip(" \n")
    if len(text) <= MAXIMUM_ANSWER and text.isascii() and text.isalnum():
        return text
    return _normalise(text) if len(text) <= _WIDE * MAXIMUM_ANSWER else ""


def gold_solution(gold: str) -> str:
    """Of a worked solution that ends in `#### 72`, as GSM8K's do, what stands there; any other gold answer as it is."""
    solution = _SOLUTION.fullmatch(gold) if "####" in gold else None
    return solution[1] if solution else gold


def readable(text: str) -> str:
    """Running text with digits of any script as 0-9 and one kind of blanks, minus signs and separators."""
    text = text.translate(_FORMS)
    return text if text.isascii() else "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)


def plain_numbers(text: str) -> str:
    """Running text in which LaTeX leaves numbers whole: `12\\,000`, `12{,}000`, `12\\%`, `\\$12`, `\\(3\\)`."""
    if "\\" in text or "{,}" in text:
        text = _COMMA.sub(",", text)
        text = re.sub(r"(?<=\d)\\[,; ](?=\d{3}(?!\d))", " ", text)
        text = re.sub(r"\\[()\[\]]", " ", _SIZED.sub("", _THIN.sub("", text)))
        for command, plain in _LATEX.items():
            text = text.replace(command, plain)
        text = _STYLE.sub(r"\1", _WORDS.sub(r" \1 ", text))
    text = re.sub(r"\$([^$]*)\$", r" \1 ", text) if text.count("$") > 1 else text
    return text if text.isascii() else _signs(_LEADING_DASH.sub("-", text))


@lru_cache(maxsize=65_536)
def _normalise(text: str) -> str:
    if _CONTROL.search(text):
        for mark, plain in _EATEN_HERE:
            text = mark.sub(plain, text)
    text = readable(unicodedata.normalize("NFC", text)).strip()
    if len(text) > MAXIMUM_ANSWER:
        return ""
    while len(text) > 1 and text.startswith("$") and text.endswith("$") and "$" not in text[1:-1].strip("$"):
        text = text[1:-1].strip()
    text = _DECORATED.sub("", _GOING_ON.sub("\\\\ldots", text))
    quoted = _QUOTED.match(text)
    text = quoted[1].strip() if quoted else text
    if text.count("$") > 1:
        text = _inline(text)
    if not text.isascii():
        text = _signs(_LEADING_DASH.sub("-", text))
    if "{,}" in text or "\\!" in text:
        text = _COMMA.sub(",", text)
    if "\\" in text or "~" in text:
        text = without_text_units(text)
        text = re.sub(r"(?<=\d)\\,(?=\d)", " ", text)
        text = re.sub(r",\s*(?:where\s+)?[a-zA-Z]\s*\\in\s*(?:\\mathbb\s*\{?\s*)?Z\s*\}?$", "", text)  # k\pi, k \in Z
        text = text.replace("\\left<", "(").replace("\\right>", ")")
        text = _SIZED.sub("", _SPACES.sub(" ", _THIN.sub("", text)))
        for command, plain in _LATEX.items():
            text = text.replace(command, plain)
        for _ in range(3):  # styles in styles
            text = _WORDS.sub(r" \1 ", _STYLE.sub(_unstyled, text))
    return re.sub(r"\s+([})\]])", r"\1", re.sub(r"(?<!\\)([{(\[])\s+", r"\1", text)).strip()


def _inline(text: str) -> str:
    """`text` without the dollar signs of its formulas (`$x=0$ or $x=2$`), the outermost two of which may be gone."""
    bare = _INLINE.sub(r" \1 ", text)
    if "$" in bare and text.count("$") % 2 == 0:
        opened = _INLINE.sub(r" \1 ", f"${text}$")
        bare = opened if "$" not in opened else bare
    return bare.strip()


def _signs(text: str) -> str:
    """Signs of Unicode that LaTeX has a command for."""
    text = _BARRED.sub(lambda match: "\\overline{" + re.sub(r"\D", "", match.group()) + "}", text)
    text = _RAISED.sub(lambda match: "^{" + match.group().translate(_PLAIN) + "}", text)
    text = _LOWERED.sub(lambda match: "_{" + match.group().translate(_PLAIN) + "}", text)
    text = _ROOT.sub(lambda match: "\\sqrt{" + (match[1] or match[2] or match[3]) + "}", text)
    for sign, command in _SIGNS.items():
        text = text.replace(sign, command)
    return text


def _unstyled(match: re.Match[str]) -> str:
    """The content alone, apart from a command or a word that it would otherwise be read as part of."""
    before, content, after = match.string[: match.start()], match[1].strip(), match.string[match.end() :]
    apart = len(content) > 1 or re.search(r"\\[a-zA-Z]+$", before) is not None
    left = " " if apart and before[-1:].isalpha() else ""
    right = " " if content[-1:].isalpha() and len(content) > 1 and after[:1].isalpha() else ""
    return left + content + right
