"""r = the sum over parts of weight x value: a reward put together from others in yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from src.common.identity import plain
from src.language.table import LANGUAGES
from src.rewards.base import Sample, Scores
from src.rewards.gates import GATES
from src.rewards.part import NORMALISERS, Part


@dataclass(frozen=True)
class Composed:
    """The sum of its `parts`, each a reward of its own with a weight, gates and a normaliser (`src.rewards.part.Part`).

    The parts see all samples of a step, of all ranks. Where a part does not apply to a sample, the whole reward does
    not: what is missing is never a silent 0. Each part is logged as `reward/<name>` and is the column `reward_<name>`
    of the rollouts, weight included, so that the parts of a sample add up to its reward.

    >>> from src.rewards.accuracy import Accuracy
    >>> from src.rewards.examples import sample
    >>> from src.rewards.fidelity import InLanguage
    >>> language = Part(InLanguage(), weight=0.2, gates=["correct"])
    >>> reward = Composed({"accuracy": Part(Accuracy()), "language": language})
    >>> reward([sample(correct=True, detected="sw"), sample(correct=False, detected="sw")])
    [1.2, 0.0]
    """

    parts: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = {name: part if isinstance(part, Part) else Part(**part) for name, part in self.parts.items()}
        object.__setattr__(self, "parts", made)  # Hydra gives mappings

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]:
        return self.scores(samples).total

    def scores(self, samples: Sequence[Sample]) -> Scores:
        """The sum and the weighted parts, [N] each."""
        parts = {name: part(samples) for name, part in self.parts.items()}
        rows = zip(*parts.values(), strict=True)
        return Scores([None if None in row else sum(row[1:], row[0]) for row in rows], parts)

    def identity(self) -> dict[str, Any]:
        """What rewards depend on: every part with the kind of its reward."""
        return {"is": type(self).__name__, "parts": {name: _identity(part) for name, part in self.parts.items()}}

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        rules = [] if self.parts else ["reward.parts must name at least one part; got none"]
        for name, part in self.parts.items():
            where = f"reward.parts.{name}"
            if not name.isidentifier() or name in LANGUAGES:
                rules.append(
                    f"{where}: a part is called by letters, digits and _, and not by a language's code; got {name!r}"
                )
            for gate in part.gates:
                if gate not in GATES:
                    rules.append(f"{where}.gates must be among {', '.join(GATES)}; got {gate!r}")
            if part.normalise not in NORMALISERS:
                rules.append(f"{where}.normalise must be one of {', '.join(NORMALISERS)}; got {part.normalise!r}")
            if not callable(part.reward):
                rules.append(f"{where}.reward must be a reward; got {part.reward!r}")
            own = getattr(part.reward, "violations", None)
            rules += [f"{where}.reward: {rule}" for rule in (own() if own else [])]
        return rules


def _identity(part: Part) -> Mapping[str, Any]:
    return asdict(part) | {"reward": plain(part.reward)}  # a composed reward inside keeps the kinds of its own parts
