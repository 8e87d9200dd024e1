"""What an expert writes about a question in a pivot language: from a file of worked examples, or from the embedded world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from src.data.formats import Layout
from src.data.readers import BadData
from src.data.records import Example, Question, read_records
from src.data.world.recognise import problem_of
from src.data.world.render import world_languages
from src.data.world.standins import reference, rendered


@dataclass(frozen=True)
class Reference:
    """A question in the pivot language, and the completion that answers it."""

    question: Question
    completion: str


References = Callable[[Question], Reference | None]


def references_of(path: str | None, pivot: str, layout: Layout | None = None) -> References:
    """The reference of a question, None where there is none: from the examples at `path` in language `pivot` that have its
    problem, of several the first; without `path` what the world itself writes.

    Raises:
        BadData: the file cannot be read, or holds no example in that language.
    """
    if path is None:
        return lambda question: of_world(question, pivot)
    rows = [row for row in read_records(path, Example, layout) if row.language == pivot]
    if not rows:
        raise BadData(f"services.references: {path} holds no example in {pivot} (services.pivot)")
    by_problem: dict[str, Reference] = {}
    for row in rows:
        question = Question(row.problem, pivot, row.question, row.gold, kind=row.kind, part=row.part)
        by_problem.setdefault(row.problem, Reference(question, row.completion))
    return lambda question: by_problem.get(question.problem)


def of_world(question: Question, pivot: str) -> Reference | None:
    """What the world writes about one of its questions; None where it is none."""
    problem = problem_of(question.question, question.language) if pivot in world_languages() else None
    if problem is None:
        return None
    asked = Question(question.problem, pivot, rendered(question.question, problem, pivot), str(problem.answer))
    return Reference(asked, f"{reference(problem, pivot)}\n</think>\\boxed{{{problem.answer}}}")
