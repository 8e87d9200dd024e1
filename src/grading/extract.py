"""From a completion to the text of its answer: string work only, linear in the length."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from src.grading.choices import letter
from src.grading.normal import normalise
from src.grading.numbers import numbers_in
from src.language.trace import split_trace

_TOKEN = re.compile(r"\\f?boxed\s*\{|\\fbox\s*\{|\\[{}]|[{}]")
# How an answer is announced, in 18 languages. What follows on the same line is the answer.
_ANNOUNCED = re.compile(
    r"(?:answer|antwort|ergebnis|respuesta|réponse|resposta|risposta|ответ|jibu|jawab(?:an)?|jawapan|đáp án|câu trả lời"
    r"|答案|答え|答|정답|답|คำตอบ|উত্তর|సమాధానం|الجواب|الإجابة|إجابة)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Extraction:
    """The normalised `answer` (None: there is none) and the `rule` that found it, empty when none did."""

    answer: str | None
    rule: str


def extract(completion: str, rules: str, kind: str = "expression", thinks: bool = True) -> Extraction:
    """The answer by the first of the named `rules` (a key of `RULES`) that finds one.

    A completion without `</think>` of a model that thinks has no answer part: it never came to answer.
    """
    split = split_trace(completion, thinks)
    for name in RULES[rules]:
        answer = _READERS[name](split.answer, kind)
        if answer is not None:
            return Extraction(normalise(answer), name)
    return Extraction(None, "")


def last_box(text: str) -> str | None:
    """The last box that is not empty; of nested boxes the inner one. Only its place is kept: boxes may be many."""
    if "boxed" not in text and "fbox" not in text:
        return None
    last: tuple[int, int] | None = None
    opened: list[list[int]] = []  # [where the content of an open brace begins (-1: no box), whether a box is inside]
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark.endswith("{") and mark != "\\{":
            opened.append([token.end() if len(mark) > 1 else -1, 0])
        elif mark == "}" and opened:
            start, inside = opened.pop()
            if start >= 0 and not inside and text[start : token.start()].strip():
                last = start, token.start()
            if opened and (start >= 0 or inside):
                opened[-1][1] = 1
    return text[last[0] : last[1]] if last else None


def _box(text: str, kind: str) -> str | None:
    return last_box(text)


def _announced(text: str, kind: str) -> str | None:
    """The last announced answer: the number, or the letter, of the rest of its line; the last after an equals sign."""
    for mark in reversed(list(_ANNOUNCED.finditer(text))[-20:]):
        rest = text[mark.end() : mark.end() + 400].split("\n")[0]
        if kind == "choice":
            answer = letter(rest.lstrip(" :：*"))
        else:
            numbers = numbers_in(rest.rpartition("=")[2])
            answer = numbers[0] if numbers else None
        if answer is not None:
            return answer
    return None


def _last_number(text: str, kind: str) -> str | None:
    """The last number of the text; an answer by letter has none."""
    numbers = numbers_in(text[-2_000:]) if kind != "choice" else []
    return numbers[-1] if numbers else None


_READERS: dict[str, Callable[[str, str], str | None]] = {
    "box": _box,
    "announced": _announced,
    "last_number": _last_number,
}
# strict: what training pays for. flexible: for models that were never asked for a box; only ever in the answer part,
# so that a truncated trace cannot score by chance.
RULES = {
    "strict": ("box",),
    "flexible": ("box", "announced", "last_number"),
}
