"""Grading and language identification of completions: one service for reward, log and evaluation alike."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from src.config import Config
from src.data.records import Question
from src.grading.grader import Grader
from src.language.detector import Detector
from src.language.fidelity import judge
from src.rewards.base import Judged


class Judge:
    """Judges completions against their questions. Use as a context manager: it may hold worker processes."""

    def __init__(self, config: Config) -> None:
        self.detector = Detector(config.detector)
        self.grader = Grader(config.grader)

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.grader.close()

    def __call__(
        self,
        questions: Sequence[Question],
        completions: Sequence[str],
        tokens: Sequence[int],
        truncated: Sequence[bool],
    ) -> list[Judged]:
        """One `Judged` for each completion; hostile text is graded, never raised."""
        grades = self.grader.grade(list(completions), [question.gold for question in questions])
        judged = []
        for question, completion, grade, count, cut in zip(
            questions, completions, grades, tokens, truncated, strict=True
        ):
            judged.append(
                Judged(
                    completion=completion,
                    query_language=question.language,
                    gold=question.gold,
                    status=grade.status,
                    answer=grade.answer,
                    fidelity=judge(completion, question.language, self.detector),
                    tokens=count,
                    truncated=cut,
                )
            )
        return judged

    def check_golds(self, questions: Sequence[Question]) -> None:
        """Raise if a gold answer does not grade as right against itself, naming the problem."""
        self.grader.check_golds([(f"problem {q.problem} ({q.language})", q.gold) for q in questions])
