"""Which rows are one problem: by their ids, by their text, or by what translation leaves of it."""

from __future__ import annotations

from collections.abc import Sequence

from src.data.leaks import connected, plain, signature
from src.data.records import Question


def problem_groups(questions: Sequence[Question]) -> list[list[int]]:
    """The rows of each problem, as indices; in order of first rows.

    Rows are of one problem when they share their id, their text, or a key of `signature`. Keys are also shared by chance
    (`same_problems`), so a few rows stand in a group that they do not belong to.
    """
    return connected([[("id", row.problem), *text_keys(row)] for row in questions])


def text_keys(question: Question) -> list[tuple[str, ...]]:
    """What two rows of one problem share, whatever set they come from."""
    return [("text", plain(question.question)), *signature(question)]
