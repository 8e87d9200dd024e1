"""The answers of a teacher in one file: a line each, on disk before the next step, so that none is asked for twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from src.common.checksums import is_whole, sealed
from src.common.console import note
from src.common.files import end_with_a_line
from src.data.chat import question_text
from src.data.readers import BadData, json_lines
from src.data.records import Question
from src.services.chat import Reply

Key = tuple[str, str, int, str]


@dataclass(frozen=True)
class Request:
    """One question to be asked once: its `sample`-th time, as `text`."""

    question: Question
    sample: int
    text: str

    @property
    def key(self) -> Key:
        """The key of an answer: problem, language, sample, and a hash of the text."""
        return self.question.problem, self.question.language, self.sample, asked(self.text)


@dataclass(frozen=True)
class Answer:
    """What a request came to. `reasoning` and `content` are as the server gave them, `finish` its reason to stop.

    The fields from `model` on are those of `src.services.chat.Reply`.
    """

    problem: str
    language: str
    sample: int
    asked: str
    model: str
    reasoning: str
    content: str
    finish: str
    prompt_tokens: int
    completion_tokens: int
    counted: bool
    seconds: float
    time: str

    @staticmethod
    def of(request: Request, reply: Reply) -> Answer:
        """What came of a request."""
        problem, language, sample, text_hash = request.key
        return Answer(problem, language, sample, text_hash, **vars(reply))

    @property
    def key(self) -> Key:
        """That of its request."""
        return self.problem, self.language, self.sample, self.asked


def asked(text: str) -> str:
    """A short hash of the text that the teacher is sent."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def requests_of(questions: Sequence[Question], samples: int, instruction: str) -> list[Request]:
    """All samples of all questions: first of each the first, so that whatever stops the run, every question has most of
    its answers."""
    texts = [question_text(question, instruction) for question in questions]
    return [
        Request(question, sample, text)
        for sample in range(samples)
        for question, text in zip(questions, texts, strict=True)
    ]


class AnswerFile:
    """An append-only JSONL file of answers. One process at a time: the caller holds a lock."""

    def __init__(self, path: Path) -> None:
        """Read what is there, after cutting a last line that an interruption left half-written.

        Raises:
            BadData: a line that is not an answer; the file was changed by hand.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        end_with_a_line(path)
        self.known: dict[Key, Answer] = {}
        for where, row in json_lines(path):
            answer = _answer(where, row)
            if is_whole(row):
                self.known.setdefault(answer.key, answer)
            else:
                note(f"{where} is damaged: its answer counts as not there, and is asked for again")
        self._handle = path.open("ab")

    def add(self, answer: Answer) -> None:
        """Append an answer and have the system put it on disk before returning."""
        self._handle.write(json.dumps(_sealed(answer), ensure_ascii=False).encode() + b"\n")
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self.known[answer.key] = answer

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def _sealed(answer: Answer) -> dict[str, Any]:
    """The row of an answer, with its checksum; half a surrogate pair becomes a replacement character."""
    row: dict[str, Any] = json.loads(json.dumps(asdict(answer), ensure_ascii=False).encode(errors="replace"))
    return sealed(row)


def _answer(where: str, row: dict[str, Any]) -> Answer:
    names = [item.name for item in fields(Answer)]
    if missing := [name for name in names if name not in row]:
        raise BadData(
            f"{where}, field {missing[0]!r}: missing. Answers are written by the stage alone; move the file away"
        )
    return Answer(**{name: row[name] for name in names})
