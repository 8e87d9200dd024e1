"""Macro averages over languages, with bootstrap intervals over seeds and problems, and paired differences.

The design is crossed: the same problems are asked in every language, of every method and of every seed. A
resample draws seeds and problems with replacement and takes everything that belongs to them, so that intervals
hold for new problems and new seeds, and a difference of methods is taken on the same resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.language.table import IN_DOMAIN, OUT_OF_DOMAIN

Array = NDArray[np.float64]
RESAMPLES = 2000
DOMAINS = {"in-domain": IN_DOMAIN, "out-of-domain": OUT_OF_DOMAIN, "all": (*IN_DOMAIN, *OUT_OF_DOMAIN)}
# Column of the table -> column of the records; lcpr is made from line and word passes.
METRICS = {
    "accuracy": "correct",
    "fidelity": "in_language",
    "right and in language": "right_and_in_language",
    "LCPR": "",
    "code-switched": "code_switched",
    "tokens": "tokens",
    "truncated": "truncated",
}


@dataclass(frozen=True)
class Cells:
    """Means over samples: `values[column]` is [seeds, problems, languages]."""

    seeds: tuple[int, ...]
    problems: tuple[str, ...]
    languages: tuple[str, ...]
    values: dict[str, Array]


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % percentile interval."""

    value: float
    low: float
    high: float

    def text(self, digits: int = 3) -> str:
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def cells(records: dict[int, Any], split: str) -> Cells:
    """From records (seed -> DataFrame) of one split. Raises ValueError when a seed lacks a (problem, language)."""
    frames = {seed: frame[frame["split"] == split].copy() for seed, frame in sorted(records.items())}
    first = next(iter(frames.values()))
    problems = tuple(dict.fromkeys(first["problem"]))
    languages = tuple(dict.fromkeys(first["language"]))
    columns = (
        "correct",
        "in_language",
        "right_and_in_language",
        "line_pass",
        "both_pass",
        "code_switched",
        "tokens",
        "truncated",
    )
    stacks: dict[str, list[Array]] = {column: [] for column in columns}
    for seed, frame in frames.items():
        frame["both_pass"] = frame["line_pass"] & frame["word_pass"]
        for column in columns:
            table = frame.astype({column: float}).pivot_table(
                index="problem", columns="language", values=column, aggfunc="mean"
            )
            table = table.reindex(index=list(problems), columns=list(languages))
            if table.isna().to_numpy().any():
                raise ValueError(
                    f"seed {seed}, split {split}: every problem must be there in every language; evaluate it again"
                )
            stacks[column].append(table.to_numpy(dtype=float))
    return Cells(tuple(frames), problems, languages, {name: np.stack(stack) for name, stack in stacks.items()})


def weights(seeds: int, problems: int, resamples: int = RESAMPLES, seed: int = 0) -> tuple[Array, Array]:
    """Bootstrap weights: row 0 is the sample itself, the others count draws; [1 + R, seeds] and [1 + R, problems]."""
    generator = np.random.default_rng(seed)

    def draw(count: int) -> Array:
        drawn = generator.multinomial(count, np.full(count, 1 / count), size=resamples).astype(float)
        return np.concatenate([np.ones((1, count)), drawn])

    return draw(seeds), draw(problems)


def macro(data: Cells, metric: str, languages: Sequence[str], over: tuple[Array, Array]) -> Array:
    """The metric, averaged over `languages` with equal weight, on every resample: [1 + R]."""
    chosen = [data.languages.index(code) for code in languages if code in data.languages]
    if not chosen:
        return np.full(len(over[0]), np.nan)
    if metric == "LCPR":
        total = over[0].sum(1)[:, None] * over[1].sum(1)[:, None]
        line = _weighted(data.values["line_pass"][..., chosen], over)
        both = _weighted(data.values["both_pass"][..., chosen], over)
        line_rate = line / total
        word_rate = np.divide(both, line, out=np.zeros_like(both), where=line > 0)
        sum_ = line_rate + word_rate
        rates = np.divide(2 * line_rate * word_rate, sum_, out=np.zeros_like(sum_), where=sum_ > 0)
        return np.asarray(rates.mean(1))
    column = METRICS[metric]
    total = over[0].sum(1)[:, None] * over[1].sum(1)[:, None]
    return np.asarray((_weighted(data.values[column][..., chosen], over) / total).mean(1))


def estimate(values: Array) -> Estimate:
    """From the resampled values [1 + R] of `macro`, or a difference of two of them."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Estimate(float(values[0]), float(low), float(high))


def differences(one: Cells, other: Cells, metric: str, languages: Sequence[str]) -> Estimate:
    """`one` minus `other`, paired: on the seeds and problems both have."""
    one, other = _common(one, other), _common(other, one)
    over = weights(len(one.seeds), len(one.problems))
    return estimate(macro(one, metric, languages, over) - macro(other, metric, languages, over))


def _common(one: Cells, other: Cells) -> Cells:
    seeds = [i for i, seed in enumerate(one.seeds) if seed in other.seeds]
    problems = [i for i, problem in enumerate(one.problems) if problem in other.problems]
    return Cells(
        tuple(one.seeds[i] for i in seeds),
        tuple(one.problems[i] for i in problems),
        one.languages,
        {name: value[seeds][:, problems] for name, value in one.values.items()},
    )


def _weighted(values: Array, over: tuple[Array, Array]) -> Array:
    """Weighted sums over seeds and problems: [1 + R, languages]."""
    seeds, problems, languages = values.shape
    by_problem = (over[0] @ values.reshape(seeds, -1)).reshape(-1, problems, languages)
    return np.asarray(np.einsum("rpl,rp->rl", by_problem, over[1]))
