"""What a reward sees and gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol

from src.common.errors import UserError
from src.grading.spec import Grade, Status
from src.language.following import Following, measure_following
from src.language.trace import Split, split_trace

if TYPE_CHECKING:
    from torch import Tensor

    from src.language.fidelity import Fidelity
    from src.language.shares import Languages

SHARES = "languages"  # evidence of the detector: `Sample.languages`
PIVOT = "pivot"  # the model's own answers: `Sample.pivot`
# What services say: `Sample.evidence`.
THOUGHTS, COSINE, AGREES, TRANSLATION = "thought_alignment", "cosine", "agrees", "translation"


@dataclass(frozen=True)
class Sample:
    """One completion of a question with the verdicts of grader and detector, made once for all rewards and logs.

    `problem` is shared by the translations of one problem, `kind` says how its answers are graded (`expression` or `choice`), and
    `part` is its source or level where its row names one; `group` numbers the prompts of a step, so that the completions
    of one prompt have the same. `length` counts tokens, None where nobody counted them. `tokens` and `logprobs` are those
    of the sampler, [length] each; empty and None for a completion that was read from a file. `progress` is t / T of
    the training step.

    What only some rewards ask for (their `needs()`), and None or absent without: `languages` are shares of letters and
    sentences, `evidence` what services say by name, `pivot` the classes of the model's own answers to the problem in a pivot
    language (`src.grading.classes`).
    """

    query_language: str
    gold: str
    completion: str
    grade: Grade
    fidelity: Fidelity
    length: int | None
    truncated: bool
    problem: str = ""
    question: str = ""
    group: int = 0
    tokens: Sequence[int] = ()
    logprobs: Tensor | None = field(default=None, compare=False)
    thinks: bool = True
    progress: float = 0.0
    languages: Languages | None = None
    evidence: Mapping[str, float | None] = field(default_factory=dict)
    pivot: tuple[str | None, ...] | None = None
    kind: str = "expression"
    part: str = ""

    @cached_property
    def split(self) -> Split:
        """The completion as trace and answer."""
        return split_trace(self.completion, self.thinks)

    @property
    def correct(self) -> bool:
        """Whether the answer is right: the grader's verdict, whatever any reward pays."""
        return self.grade.status is Status.RIGHT

    @property
    def correct_in_language(self) -> bool:
        """Whether the answer is right and the reasoning in the language of the query."""
        return self.correct and self.fidelity.in_language

    @cached_property
    def following(self) -> Following:
        """Whether trace and answer are in the language of the query, where they are there."""
        return measure_following(self.query_language, self.split, self.fidelity)


class Reward(Protocol):
    """A frozen dataclass in a module of `src/rewards/`, called on the samples of a step, of all ranks.

    Gives one value for each sample; None means that the reward does not apply to it, which is not 0. An optional
    `violations()` lists every broken rule of the settings as one sentence with the value and the fix, an optional
    `lowest()` is the lowest value it can give, an optional `needs()` the names of the evidence it asks for, an optional
    `asks(samples)` which samples it needs each of (`src.rewards.evidence`).
    """

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]: ...


class BadReward(UserError):
    """A reward gives what is no reward."""


@dataclass(frozen=True)
class Scores:
    """What a reward gives for each sample, [N]; of a composed reward also what each part adds to it, and the value of each
    part before its weight."""

    total: list[float | None]
    parts: dict[str, list[float | None]] = field(default_factory=dict)
    values: dict[str, list[float | None]] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)


def score(reward: Reward, samples: Sequence[Sample]) -> Scores:
    """The values of `reward`, part by part where it has parts.

    Raises:
        BadReward: there is not one value for each sample, or one is no finite number; the message names reward and row.
    """
    by_part: Any = getattr(reward, "scores", None)
    scores = Scores(reward(samples)) if by_part is None else by_part(samples)
    assert isinstance(scores, Scores)
    for name, values in {**scores.parts, "": scores.total}.items():
        check_values(f"reward {type(reward).__name__}" + (f", part {name}," if name else ""), values, samples)
    return scores


def needs_of(reward: Any) -> set[str]:
    """The names of the evidence that `reward` asks for, beside grade and fidelity."""
    needs = getattr(reward, "needs", None)
    return set(needs()) if needs else set()


def lowest_of(reward: Any) -> float | None:
    """The lowest value of `reward`; None where it does not say."""
    lowest = getattr(reward, "lowest", None)
    value: float | None = lowest() if lowest else None
    return value


def check_values(name: str, values: Sequence[float | None], samples: Sequence[Sample]) -> None:
    """Raise `BadReward` of what is called `name` unless `values` are finite numbers or None, one for each sample."""
    if len(values) != len(samples):
        raise BadReward(
            f"{name} must give one value for each sample, or None; it gave {len(values)} for {len(samples)}"
        )
    for row, (value, sample) in enumerate(zip(values, samples, strict=True)):
        if value is not None and not (isinstance(value, Real) and math.isfinite(value)):
            raise BadReward(
                f"{name} must give finite numbers, or None where it does not apply; it gave {value!r} for row {row}, "
                f"problem {sample.problem!r} ({sample.query_language}), group {sample.group}"
            )
