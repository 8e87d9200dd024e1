"""Where one method beats another in two things at once: Pareto dominance by pairs of language and data set.

A pair is won where the method is better in both coordinates (quality and following), lost where it is worse in both, and
otherwise neither: equal in one of them is no strict dominance. Seeds and problems are resampled, for both methods alike;
seeds are the same in all data sets, so that the interval of a count knows that its pairs come from the same models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.analysis.statistics import RESAMPLES, Array, Cells, Estimate, estimate, macro, paired, resampled

WON = "dominates"
LOST = "is dominated"
NEITHER = "neither"
UNKNOWN = "does not apply"


@dataclass(frozen=True)
class Pair:
    """Two methods on one data set in one language. `one` and `other` are (quality, following), `differences` those of one
    minus other; `sure` is the share of resamples in which one dominates, `sure_lost` in which it is dominated."""

    data_set: str
    language: str
    one: tuple[float, float]
    other: tuple[float, float]
    differences: tuple[Estimate, Estimate]
    verdict: str
    sure: float
    sure_lost: float


@dataclass(frozen=True)
class Dominance:
    """All pairs, and in how many of them one dominates and is dominated, with intervals."""

    pairs: Sequence[Pair]
    won: Estimate
    lost: Estimate


def verdict(one: tuple[float, float], other: tuple[float, float]) -> str:
    """Of two points, higher being better in both coordinates.

    >>> verdict((0.8, 0.9), (0.7, 0.5)), verdict((0.8, 0.5), (0.7, 0.5)), verdict((0.6, 0.4), (0.7, 0.5))
    ('dominates', 'neither', 'is dominated')
    """
    differences = np.subtract(one, other)
    if np.isnan(differences).any():
        return UNKNOWN
    if (differences > 0).all():
        return WON
    return LOST if (differences < 0).all() else NEITHER


def dominance(
    one: Mapping[str, Cells],
    other: Mapping[str, Cells],
    quality: str = "accuracy",
    following: str = "following",
    resamples: int = RESAMPLES,
) -> Dominance:
    """Of two methods, given by data set (`data_sets`); pairs are those that both have.

    Raises:
        RecordsError: they cannot be paired.
    """
    pairs: list[Pair] = []
    won, lost = np.zeros(1 + resamples), np.zeros(1 + resamples)
    for name in (name for name in one if name in other):
        first, second = paired(one[name], other[name])
        over = resampled(first, resamples)
        for code in (code for code in one[name].languages if code in first.languages):
            ours, theirs = (
                np.stack([macro(side, metric, [code], over) for metric in (quality, following)])
                for side in (first, second)
            )
            difference = ours - theirs  # [2, 1 + R]; with NaN neither is won nor lost
            wins, losses = np.min(difference, axis=0) > 0, np.max(difference, axis=0) < 0
            won += wins
            lost += losses
            points = [(float(side[0, 0]), float(side[1, 0])) for side in (ours, theirs)]
            pairs.append(
                Pair(
                    name,
                    code,
                    points[0],
                    points[1],
                    (_estimate(difference[0]), _estimate(difference[1])),
                    verdict(points[0], points[1]),
                    float(np.mean(wins[1:])),
                    float(np.mean(losses[1:])),
                )
            )
    return Dominance(pairs, estimate(won), estimate(lost))


def data_sets(by_split: Mapping[str, Cells]) -> dict[str, Cells]:
    """Cells by data set: a split, or where its problems are of several parts (source, level) each part by itself."""
    sets: dict[str, Cells] = {}
    for split, cells in by_split.items():
        parts = list(dict.fromkeys(cells.parts))
        if len(parts) < 2:
            sets[split] = cells
        for part in parts if len(parts) > 1 else ():
            rows = [place for place, name in enumerate(cells.parts) if name == part]
            values = {name: value[:, rows] for name, value in cells.values.items()}
            problems = tuple(cells.problems[row] for row in rows)
            sets[part if len(by_split) == 1 else f"{split} {part}"] = replace(
                cells, problems=problems, values=values, parts=(part,) * len(rows), part_weights=None
            )
    return sets


def _estimate(values: Array) -> Estimate:
    return estimate(values) if np.isfinite(values[0]) else Estimate(*[float("nan")] * 3)
