"""A completion as its reasoning trace and its answer.

Models mark the end of their thinking in different ways. All of `TAGS` are read, in linear time; training writes the tag
of the model's own chat template (`src.data.chat`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from src.language.turn import answered, end_of_answer, end_of_turn, without_head

_WORDS = ("think", "thinking", "thought", "thoughts", "reason", "reasoning")
_HARMONY = r"\b[^<\n]{0,80}(?:<\|constrain\|>\w{0,20})?<\|message\|>"
# What opens a trace, and what closes it; blanks in a tag and its case do not matter.
TAGS = (
    *((rf"<\s{{0,9}}{word}\s{{0,9}}>", rf"<\s{{0,9}}/\s{{0,9}}{word}\s{{0,9}}>") for word in _WORDS),
    (r"\[THINK\]", r"\[/THINK\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<seed:think>", r"</seed:think>"),
    (r"<longcat_think>", r"</longcat_think>"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<unused94>(?:thought\b)?", r"<unused9[45]>"),
    (r"<\|channel>thought\b", r"<channel\|>"),
    (rf"<\|channel\|>(?:analysis|commentary){_HARMONY}", rf"<\|channel\|>final{_HARMONY}"),
    (r"\Aanalysis(?=\S)", r"assistantfinal"),  # the line above, decoded without special tokens
)
_MARKS = re.compile("|".join(f"({opening})|({closing})" for opening, closing in TAGS), re.IGNORECASE)
_OPENING = re.compile("|".join(opening for opening, _ in TAGS), re.IGNORECASE)
_SIGN = re.compile(r"[<\[◁]")
_REMEMBERED = 50_000  # characters: longer completions are split whenever asked
_BETWEEN = re.compile(r"<\|end\|>(?:<\|start\|>assistant)?")  # the messages that a trace of gpt-oss consists of


@dataclass(frozen=True)
class Split:
    """`closed` tells whether a closing tag came: without it `think` is the whole completion and `answer` is empty."""

    think: str
    answer: str
    closed: bool


def split_trace(completion: str, thinks: bool = True) -> Split:
    """Split at the tag that closes the trace (`closing_tag`); opening tags in the trace are dropped, ends are trimmed.

    Thinking that is opened again before there is an answer belongs to the trace. The answer ends where the turn is over
    (`src.language.turn`), or where thinking is opened again after it. Of a model that does not mark its thinking
    (`thinks` false), all of a completion up to there is trace and answer at once. The last few hundred are remembered,
    as the grader and the detector ask about the same ones.
    """
    return (_remembered if len(completion) <= _REMEMBERED else _split)(completion, thinks)


def _split(completion: str, thinks: bool) -> Split:
    text = without_head(completion)
    text = text[: end_of_turn(text)]
    if not thinks:
        text = text[: end_of_answer(text)]
        place = answered(text)
        again = _OPENING.search(text, place) if place is not None else None
        text = (text[: again.start()] if again else text).strip()
        return Split(text, text, True)
    closing = closing_tag(text)
    if closing is None:
        return Split(_trimmed(text), "", False)
    rest = text[closing.end() :]
    thought, answer = _thinking_again(rest[: end_of_answer(rest)])
    return Split("\n".join(filter(None, (_trimmed(text[: closing.start()]), *thought))), answer, True)


_remembered = lru_cache(maxsize=512)(_split)


def split_published(completion: str) -> Split:
    """Split as the evaluation published with AdaMame does: at the first `</think>`, which alone it knows."""
    think, mark, answer = completion.partition("</think>")
    return Split(think.replace("<think>", "").strip(), answer.strip(), bool(mark))


def _marks(text: str) -> Iterator[re.Match[str]]:
    """All tags of the text, in order. Nearly all begin with a sign that is rare in text and quick to look for."""
    if "assistantfinal" in text.lower() or text[:8].lower() == "analysis":
        yield from _MARKS.finditer(text)
        return
    sign = _SIGN.search(text)
    while sign:
        mark = _MARKS.match(text, sign.start())
        if mark:
            yield mark
        sign = _SIGN.search(text, mark.end() if mark else sign.end())


def closing_tag(text: str) -> re.Match[str] | None:
    """The tag that closes the trace that `text` begins with; None where it stays open.

    A trace that an opening tag begins is closed by the first tag of its kind. Where the prompt opened it, that is the
    first closing tag that nothing in the text opened, or else the first one.
    """
    first: int | None = None
    opened: set[int] = set()
    inner: re.Match[str] | None = None
    for mark in _marks(text):
        kind, closes = _kind(mark)
        if not closes:
            if not opened and inner is None and not text[: mark.start()].strip():
                first = kind
            opened.add(kind)
        elif kind == first or (first is None and kind not in opened):
            return mark
        elif first is None and inner is None:
            inner = mark
    return inner


def without_opening(trace: str) -> str:
    """The trace without a tag that opens it, at its beginning."""
    text = trace.lstrip()
    opening = _OPENING.match(text)
    return text[opening.end() :] if opening else text


def has_tags(text: str) -> bool:
    """Whether a tag that opens or closes thinking stands in the text."""
    return _MARKS.search(text) is not None


def _thinking_again(text: str) -> tuple[list[str], str]:
    """(what is thought in further traces, the answer) of the text after the first trace."""
    thought: list[str] = []
    answer: list[str] = []
    start = 0
    inside: int | None = None
    for mark in _marks(text):
        kind, closes = _kind(mark)
        if inside is None and not closes:
            answer.append(text[start : mark.start()])
            if answered(answer[-1]) is not None:
                return thought, "".join(answer).strip()
            inside, start = kind, mark.end()
        elif closes and kind == inside:
            thought.append(_trimmed(text[start : mark.start()]))
            inside, start = None, mark.end()
    (answer if inside is None else thought).append(text[start:] if inside is None else _trimmed(text[start:]))
    return thought, "".join(answer).strip()


def _kind(mark: re.Match[str]) -> tuple[int, bool]:
    """(number of the pair in `TAGS`, whether the mark closes)."""
    kind, closes = divmod((mark.lastindex or 1) - 1, 2)
    return kind, bool(closes)


def _trimmed(trace: str) -> str:
    if _SIGN.search(trace) or trace[:8].lower() == "analysis":
        trace = _BETWEEN.sub("", _OPENING.sub("", trace))
    return trace.strip()
