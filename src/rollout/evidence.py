"""The evidence that a reward asks for, gathered for judged completions before any reward is computed.

What a closed gate has decided already is asked of nobody. What nobody can tell is None, never 0.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from src.data.records import Question
from src.data.references import Reference
from src.grading.classes import answer_class
from src.grading.extract import extract
from src.grading.spec import Status
from src.grading.tasks import KIND
from src.language.trace import split_trace
from src.rewards.base import AGREES, COSINE, PIVOT, THOUGHTS, TRANSLATION, Sample, needs_of
from src.rewards.evidence import SERVED, asks
from src.rollout.generate import Trajectory
from src.rollout.judge import Judge
from src.rollout.services import Services
from src.services.base import Answers, Pair, Passage
from src.services.overlap import chrf

Value = float | None
ASKED, CACHED, MISSING = "asked", "cached", "missing"


class Evidence:
    """Completes samples by what `reward` needs of the detector and of `services`. `counts` are, for each step, how often
    evidence was asked for, known from an earlier step, and not to be had."""

    def __init__(self, reward: Any, judge: Judge, services: Services) -> None:
        self.reward = reward
        self.needs = needs_of(reward)
        self.judge = judge
        self.services = services
        self.counts: defaultdict[int, Counter[str]] = defaultdict(Counter)

    @property
    def served(self) -> bool:
        """Whether any evidence is that of services."""
        return bool(self.needs & SERVED.keys())

    def __call__(
        self, rows: Sequence[Trajectory], step: int, own: Sequence[tuple[str, ...] | None] = ()
    ) -> list[Trajectory]:
        """The rows with their evidence. `own` are for each row the model's own answers to its problem in the pivot language,
        where they are needed (`own_questions`); None: it was not asked."""
        samples = [self.judge.with_evidence(row.sample, self.needs) for row in rows]
        if self.served:
            samples = self._served([row.question for row in rows], samples, step, own)
        return [replace(row, sample=sample) for row, sample in zip(rows, samples, strict=True)]

    def own_questions(self, questions: Sequence[Question], step: int) -> list[Question | None]:
        """Each question in the pivot language: itself, that of its reference, or its translation. None: nobody has it."""
        pivot = self.services.spec.pivot
        known = [self._in_pivot(question) for question in questions]
        left = [place for place, question in enumerate(known) if question is None]
        passages = [Passage(questions[place].question, questions[place].language, pivot) for place in left]
        texts = self.services.translator(passages, step)
        for place, text in zip(left, texts.values, strict=True):
            if text is not None:
                known[place] = replace(questions[place], language=pivot, question=text)
        self._count(step, known, texts.cached)
        return known

    def _in_pivot(self, question: Question) -> Question | None:
        if question.language == self.services.spec.pivot:
            return question
        reference = self.services.references(question)
        return None if reference is None else replace(reference.question, kind=question.kind, gold=question.gold)

    def _served(
        self,
        questions: Sequence[Question],
        samples: Sequence[Sample],
        step: int,
        own: Sequence[tuple[str, ...] | None],
    ) -> list[Sample]:
        evidence: list[dict[str, Value]] = [{} for _ in samples]
        give: dict[str, Callable[[Sequence[tuple[Sample, Reference]], int], Answers[float]]] = {
            THOUGHTS: self._thoughts,
            COSINE: self._cosines,
            AGREES: self._agreement,
            TRANSLATION: self._translations,
        }
        for need, rows in asks(self.reward, samples).items():
            if need not in give:
                continue
            places = [place for place, wanted in enumerate(rows) if wanted]
            there = {place: self.services.references(questions[place]) for place in places}
            pairs = {place: (samples[place], row) for place, row in there.items() if row is not None}
            answers = give[need](list(pairs.values()), step)
            for place, value in zip(pairs, answers.values, strict=True):
                evidence[place][need] = value
            self._count(step, [evidence[place].get(need) for place in places], answers.cached)
        pivots = own if PIVOT in self.needs else [None] * len(samples)
        return [
            replace(sample, evidence=given, pivot=pivot)
            for sample, given, pivot in zip(samples, evidence, pivots, strict=True)
        ]

    def _thoughts(self, rows: Sequence[tuple[Sample, Reference]], step: int) -> Answers[float]:
        return _of_texts(rows, lambda pairs: self.services.judge(pairs, step))

    def _cosines(self, rows: Sequence[tuple[Sample, Reference]], step: int) -> Answers[float]:
        return _of_texts(rows, lambda pairs: self.services.embedder(pairs, step))

    def _translations(self, rows: Sequence[tuple[Sample, Reference]], step: int) -> Answers[float]:
        def overlap(pairs: Sequence[Pair]) -> Answers[float]:
            passages = [Passage(pair.text, pair.language, pair.reference_language) for pair in pairs]
            texts = self.services.translator(passages, step)
            values = [
                None if text is None else chrf(text, pair.reference)
                for pair, text in zip(pairs, texts.values, strict=True)
            ]
            return Answers(values, texts.cached)

        return _of_texts(rows, overlap)

    def _agreement(self, rows: Sequence[tuple[Sample, Reference]], step: int) -> Answers[float]:
        """1 where the answer is that of the reference, 0 where it is another or there is none; None where the reference has
        none, or the two could not be compared."""
        grader = self.judge.grader
        answers = [
            None
            if sample.kind == KIND
            else extract(reference.completion, grader.rules, sample.kind, self.judge.thinks).answer
            for sample, reference in rows
        ]
        places = [place for place, answer in enumerate(answers) if answer]
        grades = grader.grade(
            [rows[place][0].completion for place in places],
            [str(answers[place]) for place in places],
            [rows[place][0].query_language for place in places],
            [rows[place][0].kind for place in places],
        )
        values: list[Value] = [None] * len(rows)
        for place, grade in zip(places, grades, strict=True):
            known = grade.status in (Status.RIGHT, Status.WRONG, Status.UNPARSED)
            values[place] = float(grade.status is Status.RIGHT) if known else None
        return Answers(values)

    def _count(self, step: int, values: Sequence[object], cached: int) -> None:
        self.counts[step] += Counter(
            {ASKED: len(values), CACHED: cached, MISSING: sum(value is None for value in values)}
        )


def classes(answers: Sequence[str | None], language: str) -> tuple[str, ...]:
    """What votes for each of the answers that there are: equal answers the same."""
    return tuple(str(answer_class(answer, language)) for answer in answers if answer is not None)


def _of_texts(
    rows: Sequence[tuple[Sample, Reference]], ask: Callable[[Sequence[Pair]], Answers[float]]
) -> Answers[float]:
    """What a service says about each trace beside that of its reference; an empty trace has nothing of it."""
    pairs = [
        Pair(
            _clean(sample.split.think),
            _clean(split_trace(reference.completion, sample.thinks).think),
            sample.query_language,
            reference.question.language,
        )
        for sample, reference in rows
    ]
    places = [place for place, pair in enumerate(pairs) if pair.text and pair.reference]
    answers = ask([pairs[place] for place in places])
    values: list[Value] = [None if not pair.reference else 0.0 for pair in pairs]
    for place, value in zip(places, answers.values, strict=True):
        values[place] = value
    return Answers(values, answers.cached)


def _clean(text: str) -> str:
    """Half a surrogate pair cannot be sent."""
    return text.encode(errors="replace").decode()
