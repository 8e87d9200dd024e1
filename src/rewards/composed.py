"""r = the sum over parts of weight x value: a reward put together from measures and other rewards in yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from src.common.identity import plain
from src.language.table import LANGUAGES
from src.rewards.base import BadReward, Sample, Scores
from src.rewards.evidence import merged
from src.rewards.part import MISSING, Part
from src.rewards.settings import MeasureSpec


@dataclass(frozen=True)
class Composed:
    """The sum of its `parts`, each a measure or a reward of its own with a weight, gates and a normaliser
    (`src.rewards.part.Part`). `measures` are what measures compare with.

    The parts see all samples of a step, of all ranks. Where a part does not apply to a sample, the whole reward does
    not: what is missing is never a silent 0, unless `missing` is `zero`, as with some authors. Each part is logged as
    `reward/<name>` and is the column `reward_<name>` of the rollouts, weight included, so that the parts of a sample add
    up to its reward.

    >>> from src.rewards.examples import sample
    >>> reward = Composed({"accuracy": Part(of="accuracy"), "language": Part(of="in_language", weight=0.2, gates=["correct"])})
    >>> reward([sample(correct=True, detected="sw"), sample(correct=False, detected="sw")])
    [1.2, 0.0]
    """

    parts: dict[str, Part] = field(default_factory=dict)
    measures: MeasureSpec = field(default_factory=MeasureSpec)
    missing: str = "skip"

    def __post_init__(self) -> None:
        made = {name: part if isinstance(part, Part) else Part(**part) for name, part in self.parts.items()}
        object.__setattr__(self, "parts", made)  # Hydra gives mappings
        if not isinstance(self.measures, MeasureSpec):
            object.__setattr__(self, "measures", MeasureSpec(**self.measures))

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]:
        return self.scores(samples).total

    def scores(self, samples: Sequence[Sample]) -> Scores:
        """The sum, and of each part what it adds and its value before the weight, [N] each."""
        values = {name: self._values(name, part, samples) for name, part in self.parts.items()}
        weights = {name: part.weight for name, part in self.parts.items()}
        parts = {
            name: [None if value is None else weights[name] * value for value in own] for name, own in values.items()
        }
        rows = zip(*parts.values(), strict=True)
        return Scores([None if None in row else sum(row[1:], row[0]) for row in rows], parts, values, weights)

    def _values(self, name: str, part: Part, samples: Sequence[Sample]) -> list[float | None]:
        try:
            return part.values(samples, self.measures, self.missing)
        except BadReward as error:
            raise BadReward(f"part {name} of the reward: {error}") from None

    def needs(self) -> set[str]:
        """The evidence that parts ask for."""
        return {need for part in self.parts.values() for need in part.needs()}

    def asks(self, samples: Sequence[Sample]) -> dict[str, list[bool]]:
        """Which samples parts need each piece of evidence of."""
        return merged([part.asks(samples, self.measures) for part in self.parts.values()])

    def lowest(self) -> float | None:
        """The lowest that the parts can add up to, each for itself; None where one does not say."""
        lows = [part.lowest() for part in self.parts.values()]
        return None if None in lows else sum(low for low in lows if low is not None)

    def identity(self) -> dict[str, Any]:
        """What rewards depend on: every part with the kind of its reward, and the settings of measures where they are not
        the defaults."""
        identity: dict[str, Any] = {"is": type(self).__name__}
        identity["parts"] = {name: _identity(part) for name, part in self.parts.items()}
        if self.measures != MeasureSpec():
            identity["measures"] = self.measures.identity()
        return identity if self.missing == "skip" else identity | {"missing": self.missing}

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        rules = [] if self.parts else ["reward.parts must name at least one part; got none"]
        for name, part in self.parts.items():
            where = f"reward.parts.{name}"
            if not name.isidentifier() or name in LANGUAGES:
                rules.append(
                    f"{where}: a part is called by letters, digits and _, and not by a language's code; got {name!r}"
                )
            rules += part.violations(where)
        if self.missing not in MISSING:
            rules.append(f"reward.missing must be one of {', '.join(MISSING)}; got {self.missing!r}")
        return rules + self.measures.violations("reward.measures")


def _identity(part: Part) -> Mapping[str, Any]:
    identity = asdict(part) | {
        "reward": plain(part.reward)
    }  # a composed reward inside keeps the kinds of its own parts
    if not part.of:
        del identity["of"]
    return identity
