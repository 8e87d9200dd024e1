"""From a completion to the text of its answer: string work only, linear in the length."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from src.grading.boxes import last_box, last_boxes, together
from src.grading.choices import announced_option, letter, rejected
from src.grading.normal import normalise, readable
from src.grading.numbers import numbers_in, readings
from src.grading.phrases import AND_OR, NOT, OR, denial, wrong
from src.grading.spec import RULES
from src.grading.tasks import KIND, boxed
from src.language.trace import split_trace

# How an answer is announced, in 18 languages. What follows on the same line is the answer.
_ANNOUNCED = re.compile(
    r"(?:answer|antwort|ergebnis|respuesta|réponse|resposta|risposta|ответ|jibu|jawab(?:an)?|jawapan|đáp án|câu trả lời"
    r"|答案|答え|正解|正答|答|정답|답|คำตอบ|উত্তর|సమాధానం|الجواب|الإجابة|إجابة)",
    re.IGNORECASE,
)
_LINE = 400  # characters of a line that are looked at
_EMPTY = re.compile(
    r"[\s:：*_#}.=\-–—।。]*(?:(?:is|ist|est|es|é|è|là|ni|adalah|ialah|是|为|為|は|คือ|হল|হলো)[\s:：*]*)?"
)
# One formula, or one bold text, that is all an announcement says.
_COPULA = (
    r"(?:(?:is|ist|lautet|est|es|é|è|là|ni|adalah|ialah|это)(?![^\W\d_])|是|为|為|は|が|은|는|이|가|คือ|হল|হলো|هو|هي)"
)
_LEAD = re.compile(
    rf"[\s:：=}}*_]*(?:(?:final|correct|therefore|thus|then|so)\s+)*(?:{_COPULA}[\s:：=]*)?(?:{_COPULA}[\s:：=]*)?",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"\$\$([^$]+)\$\$|\$((?:[^$\\]|\\.)+)\$|\\\(((?:[^\\]|\\(?!\)))+)\\\)|\\\[((?:[^\\]|\\(?!\]))+)\\\]|\*\*([^*]+)\*\*"
)
_DISPLAY = re.compile(r"[^\n$\\]{0,60}(?:\$\$[^$]*\$\$|\\\[(?:[^\\]|\\(?!\]))*\\\])")
_MACRO = re.compile(r"\\(?:begin|end)\{[a-z*]+\}|\\[A-Za-z]+")
_SYMBOLS = re.compile(r"[\\^_()\[\]{}<>≤≥√π]")
_OPERATOR = re.compile(r"\s*[+*/^×÷·]\s*|\s+[-−–]\s+")
_NOT_IT = re.compile(rf"{NOT}\s*(?:be|equal to|equals?|gleich|égale? à|igual a)?[\s$*]*$", re.IGNORECASE)
_END = re.compile(r"[\s.,;:!*_。．।、）)」\"'”]*")
_BETWEEN = re.compile(rf"[\s*]*(?:[,;、،，]\s*)?(?:{AND_OR})?[\s*]*", re.IGNORECASE)
_WORDS = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{2}")
# Another number at once, or after `or`: such an answer is not the first of them.
_DIRECT = re.compile(rf"[$€£¥₹\s]*(?:[,;、،，]|{AND_OR}|to|bis|до|至|~|～|:|[-–])[$€£¥₹\s]*", re.IGNORECASE)
_REFUSED = re.compile(
    rf"[\s*$)]*(?:,?\s*(?:which|that|but (?:that|this|it)))?\s*(?:is|are|was|ist|est|es|é|è|은|는|이|가|は)?\s*(?:{wrong.pattern})",
    re.IGNORECASE,
)
_ORED = re.compile(rf"[^.!?。\n]{{0,60}}{OR}[^.!?。\n]{{0,30}}", re.IGNORECASE)


@dataclass(frozen=True)
class Extraction:
    """The normalised `answer` (None: there is none) and the `rule` that found it, empty when none did."""

    answer: str | None
    rule: str


def extract(completion: str, rules: str, kind: str = "expression", thinks: bool = True) -> Extraction:
    """The answer by the first of the named `rules` (a key of `RULES`) that finds one.

    A completion without `</think>` of a model that thinks has no answer part: it never came to answer.
    """
    text = split_trace(completion, thinks).answer
    if kind == KIND:
        answer = boxed(text)
        return Extraction(answer, "box" if answer is not None else "")
    for name in RULES[rules]:
        answer = _READERS[name](text, kind)
        if answer is not None:
            return Extraction(normalise(answer), name)
    return Extraction(None, "")


def _box(text: str, kind: str) -> str | None:
    """The last box; of boxes side by side a list, or the one option that all of them name."""
    if kind != "choice":
        return last_box(text)
    boxes = last_boxes(text)
    if len(boxes) < 2:
        return boxes[0][2] if boxes else None
    named = {letter(normalise(content)) or "" for _, _, content in boxes}
    if len(named) == 1:
        return boxes[-1][2]
    return ", ".join(sorted(named)) if all(named) else ""


def _announced(text: str, kind: str) -> str | None:
    """The last announced answer of the text."""
    marks = list(_ANNOUNCED.finditer(text))[-20:]
    if kind == "choice":
        return _announced_option(text, [mark.end() for mark in marks])
    refused = set()
    for mark in reversed(marks):
        answer, denied = _announced_value(_said(text, mark.end()))
        if denied:
            refused.add(answer)
        elif answer is not None and answer not in refused:
            return answer
    return "" if refused else None  # the only answers announced are denied: no other number is the answer


def _said(text: str, start: int) -> str:
    """The rest of the line, or, where nothing stands there, the next line that is not empty."""
    rest = text[start : start + _LINE]
    line, _, below = rest.partition("\n")
    if _EMPTY.fullmatch(line):
        rest = below.lstrip()
    display = _DISPLAY.match(rest)  # it may take several lines
    end = display.end() if display else 0
    return rest[:end].replace("\n", " ") + rest[end:].split("\n")[0]


def _announced_option(text: str, ends: list[int]) -> str | None:
    """The last announcement that is about an option decides; a rejected option is never taken."""
    for end in reversed(ends):
        line = _said(text, end)
        before = text[max(0, end - _LINE) : end].rpartition("\n")[2]
        option, about = announced_option(line, before.count("**") % 2 == 1)
        if option is not None and option not in rejected(text[end : end + 10 * _LINE]):
            return option
        if not about:
            option = letter(normalise(before + line))  # option B is the answer
            if option is not None and option not in rejected(text[end : end + 10 * _LINE]):
                return option
        elif option is None and not wrong.search(line) and not denial.search(line):
            return None  # several
    return None


def _announced_value(line: str) -> tuple[str | None, bool]:
    """(the one formula that the line is, else its first number, after the last equals sign; whether it is denied)."""
    formula = _formula(line[_lead(line) :])
    if formula is not None:
        return formula, False
    line = readable(line)
    said = line.rpartition("=")[2]
    bare = line[_lead(line) :].strip(" .*。")
    if "$" not in bare.replace("\\$", "") and _SYMBOLS.search(said) and not _WORDS.search(_MACRO.sub(" ", bare)):
        return bare, False  # (1, 2), 2^{10}
    numbers = numbers_in(said)
    start = said.find(numbers[0]) if numbers else -1
    if start < 0:
        return (numbers[0] if numbers else None), False
    end = start + len(numbers[0])
    if _NOT_IT.search(said[:start]) or _REFUSED.match(said, end):
        return numbers[0], True
    values = [numbers[0]]
    for number in numbers[1:]:
        stop = said.find(number, end)
        if stop < 0:
            break
        gap = said[end:stop]
        if len(values) == 1 and _OPERATOR.fullmatch(gap):
            return said[start : stop + len(number)], False  # 5 + 3 is not 5
        if gap and not (_DIRECT.fullmatch(gap) or _ORED.fullmatch(gap)):
            break
        values.append(number)
        end = stop + len(number)
    first = set(readings(normalise(values[0])))
    same = all(first & set(readings(normalise(value))) for value in values)
    return (values[0] if same else ", ".join(values)), False


def _lead(line: str) -> int:
    match = _LEAD.match(line)
    end = match.end() if match else 0
    while line[end - 1 : end] == "*":  # the bold that begins here
        end -= 1
    return end


def _formula(text: str) -> str | None:
    """The formula, or bold text of one, that a line consists of; of several side by side their list."""
    text = text.strip()
    if text.startswith("****"):
        text = text[4:]
    elif text.startswith("**") and "**" not in text[2:]:
        text = text[2:].lstrip()
    contents = []
    place = 0
    while span := _SPAN.match(text, place):
        content = next(group for group in span.groups() if group is not None).strip()
        if span[5] is not None:
            inner = _formula(content)
            if inner is None and _WORDS.search(content):
                return None  # a sentence in bold
            content = inner or content
        contents.append(content)
        place = span.end()
        if _END.fullmatch(text, place):
            return together([(", " if index else "", "", content) for index, content in enumerate(contents)])
        between = _BETWEEN.match(text, place)
        place = between.end() if between else place
    return None


def _whole(text: str, kind: str) -> str | None:
    """All of the text, or its last line, where that is one option; all of the text where it is one formula."""
    if kind != "choice":
        return _formula(text) if len(text) <= _LINE else None
    lines = [line for line in text[-_LINE:].split("\n") if line.strip()]
    if not lines or _ANNOUNCED.search(lines[-1]) or (len(lines) > 1 and letter(normalise(lines[-2]))):
        return None
    named = letter(normalise(lines[-1]))
    last = normalise(lines[-1])
    listed = re.match(r"\W*[A-Ja-j]\W", last) and len(last.strip("().:[]* ")) > 1  # an option among others
    return named if (len(lines) == 1 or not listed) and named not in rejected(text[-10 * _LINE :]) else None


def _last_number(text: str, kind: str) -> str | None:
    """The last number of the text; an answer by letter has none."""
    numbers = numbers_in(text[-2_000:]) if kind != "choice" else []
    return numbers[-1] if numbers else None


_READERS: dict[str, Callable[[str, str], str | None]] = {
    "box": _box,
    "announced": _announced,
    "whole": _whole,
    "last_number": _last_number,
}
# strict: what training pays for. flexible: for models that were never asked for a box; only ever in the answer part,
# so that a truncated trace cannot score by chance.
