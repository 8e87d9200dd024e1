"""Removing mathematics from a trace before its language is judged (the rules published with AdaMame).

Each match is replaced by one blank, in order: `$$..$$`, `\\[..\\]`, `$..$`, `\\(..\\)`, `\\begin{x}..\\end{y}`, a
backslash command of ASCII letters with one brace group, and runs of digits and mathematical signs that no word
character touches.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SIGNS = r"[\d+\-*/=^.,()\[\]{}%_]"
_INLINE = re.compile(r"\$[^$]*\$")
_COMMAND = re.compile(r"\\[a-zA-Z]+\{[^}]*\}")
_BEGIN = re.compile(r"\\begin\{[^}]*\}")
_END = re.compile(r"\\end\{[^}]*\}")
_RUN = re.compile(rf"{_SIGNS}+")
_FREE_RUN = re.compile(rf"(?<!\w){_SIGNS}+(?!\w)")
_LONG_RUN = re.compile(rf"{_SIGNS}{{100}}")
_WORD = re.compile(r"\w")


def strip_mathematics(text: str) -> str:
    """`text` without mathematics, ends trimmed. Time is linear in the length, whatever the text."""
    dollars = "$" in text  # most sentences have neither
    commands = "\\" in text
    if dollars:
        text = _remove_spans(text, "$$", "$$")
    if commands:
        text = _remove_spans(text, "\\[", "\\]")
    if dollars:
        text = _INLINE.sub(" ", text)
    if commands:
        text = _remove_environments(_remove_spans(text, "\\(", "\\)"))
        last = text.rfind("}") + 1  # past it no brace group closes, and looking for one would take quadratic time
        text = _COMMAND.sub(" ", text[:last]) + text[last:]
    return _remove_runs(text).strip()


@lru_cache(maxsize=512)  # what several metrics ask of the same traces
def strip_trace(text: str) -> str:
    """`strip_mathematics` of a whole trace, remembered for a while."""
    return strip_mathematics(text)


def blank_displays(text: str) -> str:
    """`text` with blanks for the displayed mathematics that may span lines, which a line by itself would not show.

    Nothing moves: every other character stays where it was.
    """
    text = _remove_spans(text, "$$", "$$", keep=True)
    text = _remove_spans(text, "\\[", "\\]", keep=True)
    return _remove_environments(text, keep=True)


def _remove_spans(text: str, opening: str, closing: str, keep: bool = False) -> str:
    """Shortest matches from `opening` to `closing`, across lines, each become a blank (`keep`: as long a blank)."""
    if opening not in text:
        return text
    parts: list[str] = []
    position = 0
    while True:
        start = text.find(opening, position)
        stop = text.find(closing, start + len(opening)) if start >= 0 else -1
        if stop < 0:
            return "".join([*parts, text[position:]])
        end = stop + len(closing)
        parts += [text[position:start], " " * (end - start if keep else 1)]
        position = end


def _remove_environments(text: str, keep: bool = False) -> str:
    if "\\begin{" not in text:
        return text
    last = text.rfind("}") + 1  # as above
    parts: list[str] = []
    position = 0
    while True:
        start = _BEGIN.search(text, position, last)
        stop = _END.search(text, start.end(), last) if start else None
        if start is None or stop is None:
            return "".join([*parts, text[position:]])
        parts += [text[position : start.start()], " " * (stop.end() - start.start() if keep else 1)]
        position = stop.end()


def _remove_runs(text: str) -> str:
    """Runs of digits and signs become a blank where no word character is directly before or after.

    A run may shorten at either end until that holds: digits and `_` are word characters themselves, so the edge
    may only be moved to where both sides of it are not.
    """
    if not _LONG_RUN.search(text):
        return _FREE_RUN.sub(" ", text)
    parts: list[str] = []  # the same in linear time
    position = 0
    for run in _RUN.finditer(text):
        start, stop = run.span()
        while start < stop and start > 0 and _WORD.match(text[start - 1]):
            start += 1
        while stop > start and stop < len(text) and _WORD.match(text[stop]):
            stop -= 1
        if start < stop:
            parts += [text[position:start], " "]
            position = stop
    return "".join([*parts, text[position:]])
