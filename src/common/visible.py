"""Text of models made safe for a terminal: what would act on it, or hide in it, is written out."""

from __future__ import annotations

import re
import unicodedata

_UNUSUAL = re.compile(r"[^\x20-\x7e]")
_JOINERS = ("\u200c", "\u200d")  # letters of Bengali, Telugu and Persian need them
_IDEOGRAPHIC_SPACE = "\u3000"


def visible(text: str) -> str:
    r"""`text` without a character that a terminal obeys or that cannot be seen: controls and escapes, marks that reorder text
    (bidi), lone surrogates and the like are written as `\u001b`. Line breaks stay, and a tab is four blanks.

    >>> print(visible("a\x1b[31mb\u202ec"))
    a\u001b[31mb\u202ec
    """
    if text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line if line.isprintable() else _UNUSUAL.sub(_written, line) for line in lines)


def one_line(text: str) -> str:
    r"""The same on one line: a line break is `\n`."""
    return visible(text).replace("\n", "\\n")


def _written(match: re.Match[str]) -> str:
    sign = match[0]
    if sign == "\t":
        return "    "
    if sign.isprintable() or sign in _JOINERS or sign == _IDEOGRAPHIC_SPACE:
        return sign
    if unicodedata.category(sign) == "Zs":
        return " "
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"
