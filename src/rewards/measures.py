"""Measures: what a part of a composed reward is made of (`of`), and its gates, which are measures read as > 0.

A measure gives one number for each sample of a step, of all ranks, or None: the evidence is missing, which is not 0. A
new one is a function here or in `src.rewards.batch`, with `@measure`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from src.grading.classes import answer_class
from src.grading.spec import Status
from src.language.shares import Languages, Shares
from src.language.table import LANGUAGES
from src.rewards.base import AGREES, COSINE, PIVOT, SHARES, THOUGHTS, TRANSLATION, Sample
from src.rewards.repetition import repeated_line, repeated_phrase
from src.rewards.settings import MeasureSpec

Values = list[float | None]


@dataclass(frozen=True)
class Measure:
    """`values` of the samples of a step; the least and the greatest they can be; the evidence that they need beside
    grade and fidelity."""

    name: str
    values: Callable[[Sequence[Sample], MeasureSpec], Values]
    low: float
    high: float
    needs: tuple[str, ...]
    meaning: str
    batch: bool = False  # compares the samples of a step


MEASURES: dict[str, Measure] = {}


def measure(
    needs: Sequence[str] = (), low: float = 0.0, high: float = 1.0, batch: bool = False
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register a function (sample) or (sample, settings) -> number, bool or None as a measure by its name; with `batch` a
    function (samples, settings) -> list of these."""

    def register(function: Callable[..., object]) -> Callable[..., object]:
        takes_settings = function.__code__.co_argcount > 1

        def values(samples: Sequence[Sample], settings: MeasureSpec) -> Values:
            if batch:
                given: Sequence[object] = function(samples, settings)  # type: ignore[assignment]
            else:
                given = [function(sample, settings) if takes_settings else function(sample) for sample in samples]
            return [None if value is None else float(value) for value in given]  # type: ignore[arg-type]

        name = function.__name__
        meaning = (function.__doc__ or "").strip()
        MEASURES[name] = Measure(name, values, low, high, tuple(needs), meaning, batch)
        return function

    return register


# The answer.


@measure()
def accuracy(sample: Sample) -> bool:
    """The answer is right."""
    return sample.correct


@measure()
def correct(sample: Sample) -> bool:
    """The answer is right."""
    return sample.correct


@measure()
def wrong(sample: Sample) -> bool:
    """The answer was read and is not the gold answer."""
    return sample.grade.status is Status.WRONG


@measure()
def parsed(sample: Sample) -> bool:
    """There is an answer that could be read, right or wrong."""
    return sample.grade.status in (Status.RIGHT, Status.WRONG)


# The form.


@measure()
def one(sample: Sample) -> bool:
    """1: what its gates say, as a number."""
    return True


@measure()
def zero(sample: Sample) -> bool:
    """0: with `otherwise`, a penalty where a gate is closed."""
    return False


@measure()
def boxed(sample: Sample) -> bool:
    """`\\boxed{` stands in the completion."""
    return "\\boxed{" in sample.completion


@measure()
def closed(sample: Sample) -> bool:
    """The trace is closed."""
    return sample.fidelity.closed


@measure()
def closed_once(sample: Sample) -> bool:
    """The trace is closed, and `</think>` stands in the completion only once."""
    return sample.fidelity.closed and sample.completion.count("</think>") <= 1


@measure()
def complete(sample: Sample) -> bool:
    """The completion ended by itself, within the token budget."""
    return not sample.truncated


@measure()
def long_enough(sample: Sample, settings: MeasureSpec) -> bool:
    """The completion has `minimum_characters`."""
    return len(sample.completion) >= settings.minimum_characters


@measure()
def trace_long_enough(sample: Sample, settings: MeasureSpec) -> bool:
    """The trace has `minimum_trace` characters."""
    return len(sample.split.think) >= settings.minimum_trace


@measure()
def trace_too_short(sample: Sample, settings: MeasureSpec) -> bool:
    """The trace has fewer than `minimum_trace` characters."""
    return len(sample.split.think) < settings.minimum_trace


@measure()
def repeats(sample: Sample, settings: MeasureSpec) -> bool:
    """A line of `line_length` characters stands `line_times` times, or 2 to 8 words stand `phrase_times` times in a row."""
    text = sample.completion
    return repeated_line(text, settings.line_length, settings.line_times) or repeated_phrase(
        text, settings.phrase_times
    )


@measure()
def not_repeating(sample: Sample, settings: MeasureSpec) -> bool:
    """The contrary of `repeats`."""
    return not repeats(sample, settings)


# The language.


@measure()
def in_language(sample: Sample) -> bool:
    """The trace is closed and in the language of the query."""
    return sample.fidelity.in_language


@measure()
def pure(sample: Sample) -> bool:
    """The trace is closed, and every sentence with a known language is in that of the query."""
    return sample.fidelity.line_pass


@measure()
def code_switched(sample: Sample) -> bool:
    """Sentences of the trace are in two or more languages."""
    return sample.fidelity.code_switched


@measure()
def switch_rate(sample: Sample) -> float:
    """Changes of language for each step from one sentence of known language to the next."""
    return len(sample.fidelity.switches) / max(1, sample.fidelity.sentences - 1)


@measure(needs=[SHARES])
def both_parts(sample: Sample, settings: MeasureSpec) -> bool | None:
    """Trace and answer are in the language of the query; an answer of at most `short_text` letters may be of none."""
    if sample.languages is None:
        return None
    answer = sample.fidelity.answer_detected
    speechless = answer is None and sample.languages.answer.letters <= settings.short_text
    return sample.fidelity.in_language and (answer == sample.query_language or speechless)


@measure(needs=[SHARES])
def both_probable(sample: Sample, settings: MeasureSpec) -> bool | None:
    """Trace and answer have `least_probability` of the query's language; a part of at most `short_text` letters without a
    known sentence may be of none, if it is the answer."""
    if sample.languages is None:
        return None
    trace, answer = sample.languages.trace, sample.languages.answer
    speechless = not any(answer.known.values()) and answer.letters <= settings.short_text
    least = settings.least_probability
    code = sample.query_language
    return trace.probability(code) >= least and (speechless or answer.probability(code) >= least)


@measure(needs=[SHARES])
def trace_probability(sample: Sample) -> float | None:
    """Probability of the query's language in the trace (`Shares.probability`)."""
    return _share(sample, lambda languages: languages.trace, Shares.probability)


@measure(needs=[SHARES])
def completion_probability(sample: Sample) -> float | None:
    """Probability of the query's language in the whole completion."""
    return _share(sample, lambda languages: languages.completion, Shares.probability)


@measure(needs=[SHARES])
def language_share(sample: Sample) -> float | None:
    """Share of the trace's letters that are in sentences of the query's language: graded fidelity."""
    return _share(sample, lambda languages: languages.trace, Shares.of_letters)


@measure(needs=[SHARES])
def completion_share(sample: Sample) -> float | None:
    """Share of the completion's letters that are in sentences of the query's language."""
    return _share(sample, lambda languages: languages.completion, Shares.of_letters)


@measure(needs=[SHARES])
def sentence_share(sample: Sample) -> float | None:
    """Share of the trace's sentences of known language that are in the query's."""
    return _share(sample, lambda languages: languages.trace, Shares.of_sentences)


@measure(needs=[SHARES])
def mostly_in_language(sample: Sample, settings: MeasureSpec) -> bool | None:
    """`share_low` or more of the completion's letters are in sentences of the query's language."""
    share = _share(sample, lambda languages: languages.completion, Shares.of_letters)
    return None if share is None else share >= settings.share_low


@measure(needs=[SHARES])
def mixture(sample: Sample, settings: MeasureSpec) -> bool | None:
    """The share of the trace's letters in the query's language is from `share_low` to `share_high`."""
    share = _share(sample, lambda languages: languages.trace, Shares.of_letters)
    return None if share is None else settings.share_low <= share <= settings.share_high


@measure(needs=[SHARES])
def share_curriculum(sample: Sample, settings: MeasureSpec) -> float | None:
    """Share of the trace's letters in the query's language over the share asked for, at most 1: `share_start` at first,
    and in a line up to 1 at the end of training."""
    share = _share(sample, lambda languages: languages.trace, Shares.of_letters)
    asked = settings.share_start + (1 - settings.share_start) * sample.progress
    return None if share is None else 1.0 if share >= asked else share / asked


def _share(sample: Sample, of: Callable[[Languages], Shares], value: Callable[[Shares, str], float]) -> float | None:
    return None if sample.languages is None else value(of(sample.languages), sample.query_language)


# A language that the model selects itself: `<lang_select>fr</lang_select>` before it thinks.

_SELECTED = re.compile(r"\s*<lang_select>\s*([a-z]{2,3})\s*</lang_select>")


def selection(sample: Sample, settings: MeasureSpec) -> str | None:
    """The language that the completion selects at its beginning, None where it selects none of the `selectable`."""
    tag = _SELECTED.match(sample.completion)
    return tag[1] if tag and tag[1] in settings.selectable and tag[1] in LANGUAGES else None


@measure()
def selected(sample: Sample, settings: MeasureSpec) -> bool:
    """The completion begins with `<lang_select>`, one of the `selectable` languages, `</lang_select>`."""
    return selection(sample, settings) is not None


@measure()
def compliant(sample: Sample, settings: MeasureSpec) -> bool:
    """The trace is in the language that the completion selects."""
    code = selection(sample, settings)
    return code is not None and sample.fidelity.detected == code


# What services find; no evidence is None.


@measure(needs=[THOUGHTS])
def thought_alignment(sample: Sample) -> float | None:
    """Share of the intermediate results of an English trace that a judge finds in this one."""
    value = sample.evidence.get(THOUGHTS)
    return value if value is not None and 0 <= value <= 1 else None


@measure(needs=[COSINE])
def similarity(sample: Sample, settings: MeasureSpec) -> float | None:
    """Cosine of the trace with a reference, between those that earn 0 and 1 in the language of the query."""
    return _between(sample.evidence.get(COSINE), *settings.cosines(sample.query_language))


@measure(needs=[COSINE], low=-1.0)
def raw_similarity(sample: Sample) -> float | None:
    """Cosine of the trace with a reference, as it is."""
    return sample.evidence.get(COSINE)


@measure(needs=[TRANSLATION])
def translation(sample: Sample, settings: MeasureSpec) -> float | None:
    """Overlap of the trace's translation with a reference (chrF), `translation_low` as 0 and `translation_high` as 1."""
    return _between(sample.evidence.get(TRANSLATION), settings.translation_low, settings.translation_high)


def _between(value: float | None, low: float, high: float) -> float | None:
    return None if value is None else min(1.0, max(0.0, (value - low) / (high - low)))


@measure(needs=[AGREES])
def agrees(sample: Sample) -> float | None:
    """The answer is that of the pivot."""
    return sample.evidence.get(AGREES)


@measure(needs=[PIVOT])
def self_agrees(sample: Sample) -> bool | None:
    """The answer is what most of the model's own answers in the pivot language are; None where no answer leads."""
    leader = majority(sample.pivot or ())
    answer = sample.grade.answer
    own = None if answer is None else str(answer_class(answer, sample.query_language))
    return None if leader is None else own == leader


def majority(answers: Sequence[str | None]) -> str | None:
    """The answer that most give; None where several lead, or there is none. None never votes.

    >>> majority(["12", "12", "13", None]), majority(["12", "13"])
    ('12', None)
    """
    votes: dict[str, int] = {}
    for answer in answers:
        if answer is not None:
            votes[answer] = votes.get(answer, 0) + 1
    most = max(votes.values(), default=0)
    leaders = [answer for answer, count in votes.items() if count == most]
    return leaders[0] if len(leaders) == 1 else None
