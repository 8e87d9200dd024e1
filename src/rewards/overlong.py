"""r = -1 at the end of the token budget, 0 up to its last `buffer` tokens, a line between: soft overlong punishment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.rewards.base import Sample


@dataclass(frozen=True)
class Overlong:
    """Soft overlong punishment (DAPO, section 3.4), as a part of a composed reward; its weight is the largest penalty.

    `maximum` is the token budget of a completion, `buffer` how many tokens before its end the punishment begins. It does
    not apply to a completion whose tokens nobody counted.

    >>> from src.rewards.examples import sample
    >>> Overlong(maximum=100, buffer=20)([sample(length=80), sample(length=90), sample(length=100), sample(length=None)])
    [0.0, -0.5, -1.0, None]
    """

    maximum: int
    buffer: int

    def __call__(self, samples: Sequence[Sample]) -> list[float | None]:
        counted = [sample.length for sample in samples if sample.length is not None]
        penalties = iter(overlong_penalty(counted, self.maximum, self.buffer))
        return [None if sample.length is None else next(penalties) for sample in samples]

    def lowest(self) -> float:
        """The lowest value it gives."""
        return -1.0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        if 0 < self.buffer < self.maximum:
            return []
        return [
            f"buffer must be above 0 and below maximum, of which it is the end (rollout.maximum_new_tokens); got "
            f"buffer={self.buffer}, maximum={self.maximum}"
        ]


def overlong_penalty(lengths: Sequence[int], maximum: int, buffer: int) -> list[float]:
    """The punishment of each completion, float32: 0 up to `maximum` - `buffer` tokens, -1 from `maximum` on.

    Args:
        lengths: tokens of each completion, [N].
        buffer: how many tokens before `maximum` the punishment begins; above 0.
    """
    import torch

    excess = (torch.tensor(lengths, dtype=torch.float32) - (maximum - buffer)) / buffer  # (N,)
    penalties: list[float] = (0.0 - excess.clamp(0.0, 1.0)).tolist()
    return penalties
