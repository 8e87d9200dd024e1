"""Tasks of a package that has its own scorer: the gold answer as text, and the answer of a completion.

The scorer of the package `reasoning-gym` reads an answer as it stands, so it is not normalised. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass

KIND = "reasoning_gym"
_TEXT = re.compile(r"\\(?:text|texttt|textbf|textit|mathrm|mathbf|mbox)\s*\{")
_MARKS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("`", "`"))


@dataclass(frozen=True)
class Task:
    """Question `index` of the `size` that `seed` gives of the task `name`, in `language`; `question` is a hash of its text,
    by which a question that is made again is known to be the same. `answer` is the package's own."""

    name: str
    seed: int
    size: int
    index: int
    language: str
    question: str
    answer: str

    def gold(self) -> str:
        """The task as the gold answer of a question: JSON, in which no mark of another notation of gold answers occurs."""
        text = json.dumps(asdict(self), sort_keys=True)
        return text.replace("#", "\\u0023").replace("$", "\\u0024")


def task_of(gold: str) -> Task:
    """The task of a gold answer.

    Raises:
        ValueError: it is none.
    """
    try:
        task = Task(**json.loads(gold))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"no task: {error}") from None
    numbers = (task.seed, task.size, task.index)
    texts = (task.name, task.language, task.question, task.answer)
    if not all(type(number) is int for number in numbers) or not all(isinstance(text, str) for text in texts):
        raise ValueError("no task: a field is of another type")
    return task


def gold_answer(gold: str) -> str:
    """The package's own answer; empty where the gold answer is no task."""
    try:
        return task_of(gold).answer
    except ValueError:
        return ""


def question_hash(question: str) -> str:
    """The hash by which a question is known."""
    return hashlib.sha256(question.encode("utf-8", "replace")).hexdigest()[:16]


def boxed(text: str) -> str | None:
    """What stands in the last box, line for line, without the wrapper of text in a formula."""
    from src.grading.boxes import last_box

    content = last_box(text)
    return None if content is None else unwrapped(content)


def unwrapped(content: str) -> str:
    """The content without the marks and commands that all of it stands in.

    >>> unwrapped(r"\\text{left, right}"), unwrapped("$[3, 1]$"), unwrapped(r"\\text{a} + \\text{b}")
    ('left, right', '[3, 1]', '\\\\text{a} + \\\\text{b}')
    """
    content = content.strip()
    for _ in range(4):
        inner = _inner(content)
        if inner is None:
            break
        content = inner.strip()
    return content


def _inner(content: str) -> str | None:
    command = _TEXT.match(content)
    if command is not None and content.endswith("}"):
        inner = content[command.end() : -1]
        return inner if _balanced(inner) else None
    for opening, closing in _MARKS:
        inner = content[len(opening) : -len(closing)]
        if content == f"{opening}{inner}{closing}" and inner and opening not in inner and closing not in inner:
            return inner
    return None


def _balanced(text: str) -> bool:
    """Whether no brace closes that was not opened in the text."""
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0
