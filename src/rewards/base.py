"""What a reward sees and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from src.grading.grader import Grade, Status
from src.language.fidelity import Fidelity

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Sample:
    """One completion of a question with the verdicts of grader and detector, made once for all rewards and logs.

    `problem` is shared by the translations of one problem; `group` numbers the prompts of a step, so that the completions
    of one prompt have the same. `length` counts tokens, None where nobody counted them. `tokens` and `logprobs` are those
    of the sampler, [length] each; empty and None for a completion that was read from a file.
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

    @property
    def correct(self) -> bool:
        """Whether the answer is right: the grader's verdict, whatever any reward pays."""
        return self.grade.status is Status.RIGHT

    @property
    def correct_in_language(self) -> bool:
        """Whether the answer is right and the reasoning in the language of the query."""
        return self.correct and self.fidelity.in_language


class Reward(Protocol):
    """A frozen dataclass in a module of `src/rewards/`, called on the samples of a step, of all ranks.

    Gives one value for each sample; None means that the reward does not apply to it, which is not 0. An optional
    `violations()` lists every broken rule of the settings as one sentence with the value and the fix.
    """

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]: ...


@dataclass(frozen=True)
class Scores:
    """What a reward gives for each sample, [N]; of a composed reward also what each part adds to it."""

    total: list[float | None]
    parts: dict[str, list[float | None]] = field(default_factory=dict)


def score(reward: Reward, samples: Sequence[Sample]) -> Scores:
    """The values of `reward`, part by part where it has parts."""
    by_part: Any = getattr(reward, "scores", None)
    scores = Scores(reward(samples)) if by_part is None else by_part(samples)
    assert isinstance(scores, Scores)
    return scores
