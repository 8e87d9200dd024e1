"""Grading and language identification of completions: one service for reward, log and evaluation alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from src.data.records import Question
from src.grading.grader import Grader
from src.grading.spec import GraderSpec, Status
from src.language.detector import Detector
from src.language.fidelity import measure_fidelity
from src.language.published import judge_published
from src.language.shares import measure_languages
from src.language.spec import DetectorSpec
from src.language.trace import split_published
from src.rewards.base import SHARES, Sample

PUBLISHED_OF_TRACE = (
    "published_consistent",
    "published_line_pass",
    "published_word_pass",
    "published_code_switched",
)


class Judge:
    """Judges completions against their questions. Use as a context manager: it may hold worker processes."""

    def __init__(self, detector: DetectorSpec, grader: GraderSpec, thinks: bool) -> None:
        """`thinks`: completions are read as a trace, the tag that closes it, and an answer (`src.language.trace`)."""
        self.detector = Detector(detector)
        self.grader = Grader(grader, thinks)
        self.thinks = thinks

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
        lengths: Sequence[int | None],
        truncated: Sequence[bool],
    ) -> list[Sample]:
        """One `Sample` for each completion of `questions[i]`; hostile text is graded, never raised."""
        grades = self.grader.grade(
            completions,
            [question.gold for question in questions],
            [question.language for question in questions],
            [question.kind for question in questions],
        )
        rows = zip(questions, completions, grades, lengths, truncated, strict=True)
        return [
            Sample(
                query_language=question.language,
                gold=question.gold,
                completion=completion,
                grade=grade,
                fidelity=measure_fidelity(completion, question.language, self.detector, self.thinks),
                length=length,
                truncated=cut_off,
                problem=question.problem,
                question=question.question,
                thinks=self.thinks,
                kind=question.kind,
                part=question.part,
            )
            for question, completion, grade, length, cut_off in rows
        ]

    def with_evidence(self, sample: Sample, needs: Collection[str]) -> Sample:
        """The sample with what of `needs` the detector can say."""
        if SHARES not in needs:
            return sample
        return replace(sample, languages=measure_languages(sample.completion, self.detector, self.thinks))

    def check_gold_answers(self, questions: Sequence[Question]) -> None:
        """Raise if a gold answer does not grade as right against itself, naming the problem."""
        self.grader.check_gold_answers(
            [(f"problem {q.problem} ({q.language})", q.gold, q.language, q.kind) for q in questions]
        )

    def gold_answers_right(self, questions: Sequence[Question]) -> list[bool]:
        """Whether each gold answer grades as right against itself."""
        return [status is Status.RIGHT for status in self.gold_verdicts(questions)]

    def gold_verdicts(self, questions: Sequence[Question]) -> list[Status]:
        """The verdict on each gold answer as an answer to itself."""
        return self.grader.grade_gold_answers([(q.gold, q.language, q.kind) for q in questions])

    def published(
        self, questions: Sequence[Question], completions: Sequence[str], languages: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        """The verdicts of the evaluation published with AdaMame, as columns `published_*`.

        `languages` are those it tells apart for the benchmark. What it says about a trace is None where a query is in
        another language, and of a model that does not mark its thinking: it knows no trace of such a model.
        """
        statuses = self.grader.grade_published(completions, [question.gold for question in questions])
        rows = []
        for question, completion, status in zip(questions, completions, statuses, strict=True):
            row: dict[str, Any] = {
                "published_correct": status is Status.RIGHT,
                **dict.fromkeys(PUBLISHED_OF_TRACE),
                "published_ttc": len(completion) / 4 / 8192,
            }
            if self.thinks and question.language in languages:
                split = split_published(completion)
                verdict = judge_published(split.think if split.closed else "", question.language, languages)
                row |= {
                    "published_consistent": verdict.detected == question.language,
                    "published_line_pass": verdict.line_pass,
                    "published_word_pass": verdict.word_pass,
                    "published_code_switched": verdict.code_switched,
                }
            rows.append(row)
        return rows
