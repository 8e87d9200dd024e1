"""Is the answer right? Numbers, words and lists at once, formulas by math-verify in killable workers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType

from src.common.errors import UserError
from src.grading.boxes import last_box
from src.grading.compare import compare
from src.grading.extract import extract
from src.grading.normal import gold_solution, normalise
from src.grading.pool import Pool
from src.grading.published import published_answers
from src.grading.spec import Grade, GraderSpec, Status
from src.grading.tasks import KIND, gold_answer

# The scoring rule, stamped on every result. A change that can move a verdict gets a new number and a line here.
#   1  the one box after </think>, ASCII notation
#   2  the last box; numbers of 18 languages, units, lists, words, letters of options
#   3  formulas equal exactly, by this project's own comparison; nothing infinite equals a number; boxes side by side are
#      one list; letters of a formula are no units; words for thousands and millions; other languages are nobody's
#      thinking tags of other models are read, and nothing after the end of a turn (`src.language`)
SCORING_VERSION = 3
REMEMBERED = 200_000  # pairs
Pair = tuple[str, str, str, str]  # gold, answer, language, kind


class BadGoldAnswer(UserError, ValueError):
    """A gold answer that is not right against itself: no completion could ever be."""


def gold_text(gold: str) -> str:
    """A gold answer, normalised: what a worked solution puts in its last box, or after `####`."""
    return normalise((last_box(gold) if "\\boxed" in gold else None) or gold_solution(gold))


class Grader:
    """Grades completions, from any thread. Workers start with the first answer that takes one."""

    def __init__(self, spec: GraderSpec, thinks: bool = True) -> None:
        self.rules = spec.rules
        self.thinks = thinks
        self.pool = Pool(spec.workers, spec.timeout, spec.memory_megabytes, spec.packages)
        self._known: dict[Pair, Status] = {}
        self._turn = threading.Lock()

    def grade(
        self,
        completions: Sequence[str],
        gold_answers: Sequence[str],
        languages: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
    ) -> list[Grade]:
        """One `Grade` for each completion: its answer against `gold_answers[i]`, read in the notation of `languages[i]`.

        `kinds[i]` is `expression` (without `kinds`, all are), `choice` or `reasoning_gym`, whose gold answer is a
        `src.grading.tasks.Task` and whose scorer reads the answer as it stands in the box.
        """
        count = len(completions)
        languages = languages or ["en"] * count
        kinds = kinds or ["expression"] * count
        extractions = [
            extract(completion, self.rules, kind, self.thinks)
            for completion, kind in zip(completions, kinds, strict=True)
        ]
        pairs = [
            (gold if kind == KIND else gold_text(gold), extraction.answer or "", language, kind)
            for gold, extraction, language, kind in zip(gold_answers, extractions, languages, kinds, strict=True)
        ]
        verdicts = self._compare(pairs)
        return [
            Grade(status, extraction.answer, extraction.rule)
            for status, extraction in zip(verdicts, extractions, strict=True)
        ]

    def grade_published(self, completions: Sequence[str], gold_answers: Sequence[str]) -> list[Status]:
        """The verdicts of the published evaluation (`src.grading.published`): right if either box is."""
        answers = [published_answers(text) for text in completions]
        rows = list(zip(gold_answers, answers, strict=True))
        verdicts = self._compare([(gold, box, "en", "published") for gold, boxes in rows for box in boxes])
        return [
            Status.RIGHT
            if Status.RIGHT in pair
            else next((word for word in pair if word is not Status.UNPARSED), pair[0])
            for pair in zip(verdicts[::2], verdicts[1::2], strict=True)
        ]

    def check_gold_answers(self, gold_answers: Sequence[tuple[str, str, str, str]]) -> None:
        """Raise `BadGoldAnswer` listing every (where, gold, language, kind) that is not right against itself."""
        different = list({row[1:]: row[0] for row in gold_answers}.items())
        verdicts = self.grade_gold_answers([row for row, _ in different])
        bad = [
            f"  - {where}: gold {row[0]!r:.80} grades as {status.value} against itself"
            for (row, where), status in zip(different, verdicts, strict=True)
            if status is not Status.RIGHT
        ]
        if bad:
            more = f"\n  and {len(bad) - 20} more" if len(bad) > 20 else ""
            if any(row[2] == KIND for row, _ in different):
                more += (
                    "\nTasks of reasoning_gym take the package that made them: `pip install reasoning-gym`, or grader.packages must "
                    "be the folder that it is unpacked into"
                )
            raise BadGoldAnswer(
                "a gold answer must be a number, a word, a LaTeX expression that equals itself, the letter of an option, or a "
                "task whose scorer gives its own answer 1; correct or drop these:\n" + "\n".join(bad[:20]) + more
            )

    def grade_gold_answers(self, gold_answers: Sequence[tuple[str, str, str]]) -> list[Status]:
        """The verdict on every (gold, language, kind) as an answer to itself. A formula is one in any language, and is
        checked once."""
        pairs = [
            (gold, gold_answer(gold), language, kind)
            if kind == KIND
            else (text := gold_text(gold), text, language, kind)
            for gold, language, kind in gold_answers
        ]
        first: dict[tuple[str, str], Pair] = {}
        for pair in pairs:
            if compare(*pair) is None:
                first.setdefault((pair[0], pair[3]), pair)
        return self._compare([first.get((pair[0], pair[3]), pair) for pair in pairs])

    def _compare(self, pairs: Sequence[Pair]) -> list[Status]:
        """The verdict on each pair; what takes a worker is compared once, however often a batch repeats it."""
        statuses: dict[Pair, Status] = {}
        hard = []
        for pair in dict.fromkeys(pairs):
            known = self._known.get(pair)
            word = known.value if known is not None else compare(*pair)
            if word is None:
                hard.append(pair)
            else:
                statuses[pair] = Status(word)
        if hard:
            with self._turn:  # the pool serves one caller at a time; the others need not wait for it with plain answers
                words = self.pool.run(hard)
            fresh = {pair: Status(word) for pair, word in zip(hard, words, strict=True)}
            statuses |= fresh
            if len(self._known) > REMEMBERED:
                self._known = {}
            self._known |= fresh
        return [statuses[pair] for pair in pairs]

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, when they have done what they are at."""
        with self._turn:
            self.pool.close()
