"""Does a completion follow the language of its query, in the trace and in the answer? What is not there says nothing."""

from __future__ import annotations

from dataclasses import dataclass

from src.language.fidelity import Fidelity
from src.language.trace import Split


@dataclass(frozen=True)
class Following:
    """Whether the parts of a completion are in the language of the query; None: does not apply.

    `trace`, `answer`: None where that part is not there, or its language cannot be told, as that of a formula. `both`: both
    are; None unless trace and answer are there and the trace's language can be told. An answer that is there without a language
    of its own, such as a boxed number, leaves it to the trace.
    """

    trace: bool | None
    answer: bool | None
    both: bool | None


def measure_following(query_language: str, split: Split, fidelity: Fidelity) -> Following:
    """Of one completion, from its parts and the languages detected in them.

    A trace that never closes has no answer. Unlike `Fidelity.in_language`, for which that is a failure, following leaves
    such a completion out: it is about completions that can be read in both parts.
    """
    trace = _same(fidelity.detected, query_language) if split.think else None
    answer = _same(fidelity.answer_detected, query_language) if split.answer else None
    if trace is None or not split.answer:
        return Following(trace, answer, None)
    return Following(trace, answer, trace and answer is not False)


def _same(detected: str | None, query_language: str) -> bool | None:
    return None if detected is None else detected == query_language
