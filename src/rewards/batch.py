"""Measures that compare the samples of a step with each other. They see those of all ranks, as every reward does, so that
two ranks give what one gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from src.rewards.base import Sample
from src.rewards.measures import MEASURES, Measure, Values, compliant, majority, measure, selection
from src.rewards.settings import MeasureSpec

__all__ = ["MEASURES", "Measure"]  # with those that are registered here


@measure(batch=True)
def language_rarity(samples: Sequence[Sample], settings: MeasureSpec) -> Values:
    """Of a `compliant` sample: 1 over how many of the step select its language, 1 for the rarest of the step's compliant
    samples; 0 of any other."""
    codes = [selection(sample, settings) for sample in samples]
    count = Counter(codes)
    rarity = [
        1 / count[code] if compliant(sample, settings) else 0.0 for sample, code in zip(samples, codes, strict=True)
    ]
    highest = max(rarity, default=0.0) or 1.0  # nobody complies
    return [value / highest for value in rarity]


@measure(batch=True)
def selection_solves(samples: Sequence[Sample], settings: MeasureSpec) -> list[bool]:
    """An answer of the step whose sample selects the same language is right; to select none counts as a language."""
    codes = [selection(sample, settings) for sample in samples]
    solved = {code for sample, code in zip(samples, codes, strict=True) if sample.correct}
    return [code in solved for code in codes]


@measure(batch=True)
def language_passes(samples: Sequence[Sample], settings: MeasureSpec) -> list[bool]:
    """An answer to the same problem in the same language of the query is right: pass@n of the language in the step."""
    solved = {(sample.problem, sample.query_language) for sample in samples if sample.correct}
    return [(sample.problem, sample.query_language) in solved for sample in samples]


@measure(batch=True)
def consistency(samples: Sequence[Sample], settings: MeasureSpec) -> list[bool | None]:
    """The answer is what most answers to the same problem in the other languages of the step are. 0 without an answer;
    None where no answer of the others leads."""
    answers: dict[str, dict[str, list[str | None]]] = {}
    for sample in samples:
        answers.setdefault(sample.problem, {}).setdefault(sample.query_language, []).append(sample.grade.answer)
    leaders = {
        (problem, own): majority([answer for code, given in by.items() if code != own for answer in given])
        for problem, by in answers.items()
        for own in by
    }
    agreed: list[bool | None] = []
    for sample in samples:
        leader = leaders[sample.problem, sample.query_language]
        if sample.grade.answer is None:
            agreed.append(False)
        else:
            agreed.append(None if leader is None else sample.grade.answer == leader)
    return agreed
