"""Which points no other point beats, and how much they beat together. Every coordinate is to be large."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from src.common.errors import UserError

Point = Sequence[float]


def front(points: Sequence[Point]) -> list[int]:
    """Indices of the points that are not dominated (another at least as good in every coordinate, better in one)."""
    return [index for index, point in enumerate(points) if not any(_dominates(other, point) for other in points)]


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """Volume of what lies above `reference` and below at least one point; exact, meant for two or three coordinates.

    A point that is not above the reference in every coordinate adds nothing. Over (accuracy, fidelity, -tokens) the
    reference is (0, 0, -budget): nothing right, nothing in the language, all tokens used.

    Raises:
        ValueError: a point has not as many coordinates as the reference.
    """
    above = [point for point in points if all(a > b for a, b in zip(point, reference, strict=True))]
    if len(reference) == 1:
        return max((point[0] - reference[0] for point in above), default=0.0)
    # Slabs from the top of the last coordinate down: within one, the same points are high enough.
    levels = sorted({point[-1] for point in above}, reverse=True)
    slabs = (
        (level - lower) * hypervolume([point[:-1] for point in above if point[-1] >= level], reference[:-1])
        for level, lower in pairwise([*levels, reference[-1]])
    )
    return sum(slabs, 0.0)


def normalised_hypervolume(rows: Sequence[tuple[float, float, float]], budget: float) -> float:
    """Hypervolume in [0, 1] of (accuracy, fidelity, tokens) over accuracy x fidelity x (1 - tokens / budget).

    Raises:
        UserError: the budget of tokens is not above 0.
    """
    if budget <= 0:
        raise UserError(
            f"a hypervolume needs a budget of tokens above 0; got {budget}. Take rollout.maximum_new_tokens"
        )
    points = [(accuracy, fidelity, -tokens) for accuracy, fidelity, tokens in rows]
    return hypervolume(points, (0.0, 0.0, -budget)) / budget


def _dominates(one: Point, other: Point) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)
