"""What a merge rule is: a function of the same tensor in several models, and in the base that they come from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from src.common.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


class BadMerge(UserError):
    """Models that cannot be merged, or a merged model that cannot be used; the message has the rule, the value, the fix."""


@dataclass(frozen=True)
class Place:
    """Which tensor is merged: its name, the layer that it is in (None: embedding, head, last norm) of how many layers."""

    name: str
    layer: int | None = None
    layers: int = 0


@dataclass(frozen=True)
class Chunk:
    """The same rows of a tensor in the base (None where the rule needs none) and in each model, float64 of one shape."""

    base: Tensor | None
    tensors: Sequence[Tensor]

    def deltas(self) -> list[Tensor]:
        """The task vectors, model - base."""
        assert self.base is not None
        return [tensor - self.base for tensor in self.tensors]


@dataclass(frozen=True)
class Rule:
    """Settings of every rule. `models`: folders of models or of LoRA adapters, run directories (their last model), hub names.
    `weights`: one for each model (empty: 1 each). `base`: what the models were trained from (null: the model that the stage
    starts from, as `model.path` has it); rules without task vectors need one for adapters alone.
    """

    models: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    base: str | None = None

    needs_base: ClassVar[bool] = False
    fewest: ClassVar[int] = 1
    most: ClassVar[int | None] = None

    def merged(self, place: Place, chunks: Iterable[Chunk]) -> Iterator[Tensor]:
        """The merged rows, chunk by chunk; `chunks` may be gone through several times."""
        raise NotImplementedError(f"{type(self).__name__} does not say how tensors are merged")

    def __call__(self, place: Place, base: Tensor | None, tensors: Sequence[Tensor]) -> Tensor:
        """One tensor of all models at once, in the dtype of the first; computed in float64."""
        chunk = Chunk(None if base is None else base.double(), [tensor.double() for tensor in tensors])
        (result,) = self.merged(place, [chunk])
        return result.to(tensors[0].dtype)

    def weights_of(self, count: int) -> list[float]:
        """A weight for each of `count` models."""
        return [float(weight) for weight in self.weights] or [1.0] * count

    def identity(self) -> dict[str, Any]:
        """What a result depends on, but for the models and the base: they count by what is in them."""
        settings = {key: value for key, value in asdict(self).items() if key not in ("models", "base")}
        return {"is": type(self).__name__} | settings | {"weights": self.weights_of(len(self.models))}

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        count = len(self.models)
        violations = []
        if count < self.fewest or (self.most is not None and count > self.most):
            number = self.fewest if self.fewest == self.most else f"at least {self.fewest}"
            violations.append(
                f"merge.models must name {number} model{'s' * (self.fewest > 1)} with merge={_name(self)}; got {count}. "
                "Give folders or run directories: 'merge.models=[<folder>,<folder>]'"
            )
        if any(not name.strip() for name in self.models):
            violations.append(f"merge.models must name a folder each; got {list(self.models)}")
        if self.weights and len(self.weights) != count:
            violations.append(
                f"merge.weights must have one weight for each of merge.models; got {len(self.weights)} for {count}. Leave "
                "it empty for 1 each"
            )
        for weight in self.weights:
            if not math.isfinite(weight):
                violations.append(f"merge.weights must be finite numbers; got {weight}")
        return violations + self.rules()

    def rules(self) -> list[str]:
        """The broken rules about what this rule alone has."""
        return []

    def misfits(self, layers: int) -> list[str]:
        """The broken rules that only the number of layers shows."""
        return []


def weighted_sum(weights: Sequence[float], tensors: Sequence[Tensor]) -> Tensor:
    """sum w x, fresh."""
    total = weights[0] * tensors[0]
    for weight, tensor in zip(weights[1:], tensors[1:], strict=True):
        total.add_(tensor, alpha=weight)
    return total


def _name(rule: Rule) -> str:
    return type(rule).__module__.rpartition(".")[2]
