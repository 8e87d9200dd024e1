"""From a completion to the text of its answer: string work only, linear in the length."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from src.language.trace import split_trace

MAXIMUM_ANSWER = 500  # characters: a longer one is not read (no benchmark has such an answer)
_TOKEN = re.compile(r"\\boxed\s*\{|\\[{}]|[{}]")
# Thousands in threes, set apart by commas or by blanks, or the Indian way (1,00,000), or not at all.
_PLAIN = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)(?:\.\d+)?", re.ASCII)
# Full-width forms, other blanks, minus signs and separators. Not NFKC: that would read 5² as 52.
_FORMS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FORMS |= dict.fromkeys((0xA0, 0x2009, 0x202F, 0x3000), 0x20)
_FORMS |= {0x2212: 0x2D, 0x066B: 0x2E, 0x066C: 0x2C}


def boxes(text: str) -> list[str]:
    """Contents of the complete `\\boxed{...}` of `text`, braces balanced, in the order in which they close."""
    found: list[str] = []
    opened: list[int] = []  # where the content of each open brace begins; negative for a brace that is no box
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark.startswith("\\boxed"):
            opened.append(token.end())
        elif mark == "{":
            opened.append(-1)
        elif mark == "}" and opened:
            start = opened.pop()
            if start >= 0:
                found.append(text[start : token.start()])
    return found


def answers(completion: str) -> list[str]:
    """The different boxed answers after `</think>`, normalised, innermost text of nested boxes.

    Two writings of one plain number are not different. Empty when there is no `</think>` (the model never came to answer) or no complete box after it.
    """
    split = split_trace(completion)
    if not split.closed:
        return []
    plain = [box for box in boxes(split.answer) if "\\boxed" not in box]
    found: dict[str, str] = {}
    for text in map(normalise, plain):
        found.setdefault(plain_number(text) or text, text)
    return list(found.values())


@lru_cache(maxsize=65_536)
def normalise(answer: str) -> str:
    """Digits of any script become 0-9, wide forms plain ones, decorations of a bare value go.

    More than `MAXIMUM_ANSWER` characters are not an answer: they become the empty text, which nothing equals.
    """
    text = answer.strip().translate(_FORMS)
    if len(text) > MAXIMUM_ANSWER:
        return ""
    text = "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)
    text = text.strip("$ \t\n").removesuffix(".").strip()
    return text.replace("\\,", "").replace("\\!", "").replace("{,}", ",")


def plain_number(text: str) -> str | None:
    """`text` as a number in canonical digits (`-1,200.50` -> `-1200.5`), or None when it is not a plain number."""
    if not _PLAIN.fullmatch(text):
        return None
    whole, _, fraction = text.replace(",", "").replace(" ", "").lstrip("+-").partition(".")
    fraction = fraction.rstrip("0")
    value = (whole.lstrip("0") or "0") + ("." + fraction if fraction else "")
    return "-" + value if text.startswith("-") and value != "0" else value
