"""Is the answer right? Plain numbers at once, everything else by math-verify in killable workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

from src.errors import UserError
from src.grading.extract import answers, normalise, plain_number
from src.grading.pool import Pool


class Status(StrEnum):
    """What came of grading one completion. Only `RIGHT` counts as correct; none is silently another."""

    RIGHT = "right"
    WRONG = "wrong"
    UNPARSED = "unparsed"  # no `</think>`, no complete box after it, or a box that cannot be read
    TIMEOUT = "timeout"
    ERROR = "error"  # the comparison ended with an exception or out of memory


class BadGold(UserError, ValueError):
    """A gold answer that is not right against itself: no completion could ever be."""


@dataclass(frozen=True)
class Grade:
    """`answer` is the normalised boxed answer, None when there was none."""

    status: Status
    answer: str | None


@dataclass(frozen=True)
class GraderSpec:
    """`timeout` in seconds for one comparison; `memory_megabytes` for each worker."""

    workers: int = 1
    timeout: float = 3.0
    memory_megabytes: int = 2048

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        found = []
        if self.workers < 1:
            found.append(f"grader.workers must be at least 1; got {self.workers}")
        if self.timeout <= 0:
            found.append(f"grader.timeout must be above 0 seconds; got {self.timeout}")
        if self.memory_megabytes < 512:
            found.append(
                f"grader.memory_megabytes must be at least 512, which sympy needs; got {self.memory_megabytes}"
            )
        return found


class Grader:
    """Grades completions. Workers start with the first answer that is not a plain number."""

    def __init__(self, spec: GraderSpec) -> None:
        self.pool = Pool(spec.workers, spec.timeout, spec.memory_megabytes)
        self._known: dict[tuple[str, str], Status] = {}

    def grade(self, completions: Sequence[str], golds: Sequence[str]) -> list[Grade]:
        """One `Grade` for each completion: its boxed answer after `</think>` against `golds[i]`.

        Two boxes that differ are wrong: listing answers is not answering.
        """
        grades: list[Grade | None] = []
        hard: dict[tuple[str, str], list[int]] = {}  # each pair is compared once: a batch may repeat what takes long
        for completion, gold in zip(completions, golds, strict=True):
            found = answers(completion)
            if not found:
                grades.append(Grade(Status.UNPARSED, None))
            elif len(found) > 1:
                grades.append(Grade(Status.WRONG, found[-1]))
            else:
                pair = (normalise(gold), found[0])
                status = compare_plain(*pair) or self._known.get(pair)
                grades.append(Grade(status, found[0]) if status else None)
                if status is None:
                    hard.setdefault(pair, []).append(len(grades) - 1)
        if hard:
            for (pair, indices), word in zip(hard.items(), self.pool.run(list(hard)), strict=True):
                status = Status(word)
                for index in indices:
                    grades[index] = Grade(status, pair[1])
                if len(self._known) < 100_000:
                    self._known[pair] = status
        return [grade for grade in grades if grade is not None]

    def check_golds(self, golds: Sequence[tuple[str, str]]) -> None:
        """Raise `BadGold` listing every (where, gold) that does not grade as right against itself."""
        different = list({gold: where for where, gold in golds}.items())
        grades = self.grade([f"</think>\\boxed{{{gold}}}" for gold, _ in different], [gold for gold, _ in different])
        bad = [
            f"  - {where}: gold {gold!r:.80} grades as {grade.status.value} against itself"
            for (gold, where), grade in zip(different, grades, strict=True)
            if grade.status is not Status.RIGHT
        ]
        if bad:
            more = f"\n  and {len(bad) - 20} more" if len(bad) > 20 else ""
            raise BadGold(
                "a gold answer must be a number or a LaTeX expression that equals itself; correct or drop these:\n"
                + "\n".join(bad[:20]) + more
            )  # fmt: skip

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers."""
        self.pool.close()


def compare_plain(gold: str, answer: str) -> Status | None:
    """The verdict on two normalised texts when both are plain numbers or one is empty; None: it takes a worker."""
    if not answer or not gold:
        return Status.UNPARSED
    wanted, given = plain_number(gold), plain_number(answer)
    if wanted is None or given is None:
        return None
    return Status.RIGHT if wanted == given else Status.WRONG
