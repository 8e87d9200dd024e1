"""Layer Swapping (Bandarkar et al. 2025): the outer layers of a language expert around the middle of a maths expert.

    layers from the ground up:  bottom | transition_bottom | the middle | transition_top | top
    taken from:                 language | both            | maths      | both           | language

Both: transition x language + (1 - transition) x maths. Published: 5, 1, 1, 2 of 32 layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from src.models.merge.base import Chunk, Place, Rule

if TYPE_CHECKING:
    from torch import Tensor

PUBLISHED = {"bottom": 5, "top": 2, "transition_bottom": 1, "transition_top": 1}
LAYERS = 32
LEAST = {"bottom": 2, "top": 3}  # with so many layers there is one, however it rounds
EXPERTS = ("maths", "language")


@dataclass(frozen=True)
class LayerSwap(Rule):
    """`models` are the maths expert, then the language expert. `outer` says whose embedding, last norm and head are taken.
    A number of layers that is null is the published one x layers / 32, rounded (a half up); `bottom` is at least 1
    with two layers or more, `top` with three.

    >>> import torch
    >>> maths, language = torch.tensor([0.0]), torch.tensor([1.0])
    >>> rule = LayerSwap(bottom=1, top=1, transition_bottom=1, transition_top=0)
    >>> [float(rule(Place("w", layer, 5), None, [maths, language])) for layer in (0, 1, 2, 3, 4, None)]
    [1.0, 0.5, 0.0, 0.0, 1.0, 0.0]
    """

    bottom: int | None = None
    top: int | None = None
    transition_bottom: int | None = None
    transition_top: int | None = None
    transition: float = 0.5
    outer: str = "maths"

    fewest: ClassVar[int] = 2
    most: ClassVar[int | None] = 2

    def merged(self, place: Place, chunks: Iterable[Chunk]) -> Iterator[Tensor]:
        share = self.share(place)
        for chunk in chunks:
            maths, language = chunk.tensors
            yield language if share == 1 else maths if share == 0 else share * language + (1 - share) * maths

    def share(self, place: Place) -> float:
        """The weight of the language expert in a tensor."""
        if place.layer is None:
            return float(self.outer == "language")
        sizes = self.sizes(place.layers)
        below, above = place.layer, place.layers - 1 - place.layer  # layers on either side
        if below < sizes["bottom"] or above < sizes["top"]:
            return 1.0
        if below < sizes["bottom"] + sizes["transition_bottom"] or above < sizes["top"] + sizes["transition_top"]:
            return self.transition
        return 0.0

    def sizes(self, layers: int) -> dict[str, int]:
        """The number of layers of each zone but the middle, in a model of `layers`."""
        sizes = {}
        for name, published in PUBLISHED.items():
            given = getattr(self, name)
            least = int(layers >= LEAST.get(name, layers + 1))
            sizes[name] = max(least, math.floor(published * layers / LAYERS + 0.5)) if given is None else given
        return sizes

    def rules(self) -> list[str]:
        violations = [
            f"merge.{name} must be a number of layers, 0 or more; got {getattr(self, name)}"
            for name in PUBLISHED
            if (getattr(self, name) or 0) < 0
        ]
        if not 0 <= self.transition <= 1:
            violations.append(
                f"merge.transition must be in [0, 1], the weight of the language expert; got {self.transition}"
            )
        if self.outer not in EXPERTS:
            violations.append(f"merge.outer must be one of {', '.join(EXPERTS)}; got {self.outer!r}")
        if self.weights:
            violations.append(
                f"merge.weights must be empty with merge=layer_swap, where layers are taken whole; got {list(self.weights)}. "
                "The layers between are weighed by merge.transition"
            )
        return violations

    def misfits(self, layers: int) -> list[str]:
        sizes = self.sizes(layers)
        if sum(sizes.values()) <= layers:
            return []
        shown = ", ".join(f"merge.{name}={size}" for name, size in sizes.items())
        return [f"the zones of merge=layer_swap must fit into the {layers} layers of the models; got {shown}"]
