"""Gates of the parts of a composed reward: a part counts for the samples for which all its gates are open."""

from __future__ import annotations

from collections.abc import Callable

from src.grading.grader import Status
from src.rewards.base import Sample


def correct(sample: Sample) -> bool:
    """The answer is right."""
    return sample.correct


def wrong(sample: Sample) -> bool:
    """The answer was read and is not the gold answer."""
    return sample.grade.status is Status.WRONG


def parsed(sample: Sample) -> bool:
    """There is an answer that could be read."""
    return sample.grade.status in (Status.RIGHT, Status.WRONG)


def closed(sample: Sample) -> bool:
    """The trace is closed."""
    return sample.fidelity.closed


def in_language(sample: Sample) -> bool:
    """The reasoning is in the language of the query."""
    return sample.fidelity.in_language


def complete(sample: Sample) -> bool:
    """The completion ended by itself, within the token budget."""
    return not sample.truncated


GATES: dict[str, Callable[[Sample], bool]] = {
    gate.__name__: gate for gate in (correct, wrong, parsed, closed, in_language, complete)
}
