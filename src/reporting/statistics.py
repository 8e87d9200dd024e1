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

from src.errors import UserError
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


class RecordsError(UserError, ValueError):
    """Records that cannot be averaged or compared; the message states the rule, the value and the fix."""


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
    """From records (seed -> DataFrame) of one split.

    Raises:
        RecordsError: a seed lacks the split, a (problem, language), or has problems that the first does not.
    """
    frames = {seed: frame[frame["split"] == split].copy() for seed, frame in sorted(records.items())}
    for seed, frame in frames.items():
        if frame.empty:
            raise RecordsError(f"seed {seed}: every seed needs records of split {split!r}, here are none; evaluate it")
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
            same = set(table.index) == set(problems) and set(table.columns) == set(languages)
            table = table.reindex(index=list(problems), columns=list(languages))
            if not same or table.isna().to_numpy().any():
                raise RecordsError(
                    f"seed {seed}, split {split}: every problem must be there in every language, the same for all "
                    "seeds; evaluate it again"
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
    """`one` minus `other`, paired: on the seeds, problems and languages both have.

    Raises:
        RecordsError: they have no seed, or no problem, in common.
    """
    one, other = _common(one, other), _common(other, one)
    over = weights(len(one.seeds), len(one.problems))
    return estimate(macro(one, metric, languages, over) - macro(other, metric, languages, over))


def _common(one: Cells, other: Cells) -> Cells:
    """What of `one` is in `other` too, in sorted order: whatever order the records had, pairs stay pairs."""
    seeds = sorted(set(one.seeds) & set(other.seeds))
    problems = sorted(set(one.problems) & set(other.problems))
    languages = sorted(set(one.languages) & set(other.languages))
    for name, common, had in (("seed", seeds, other.seeds), ("problem", problems, other.problems)):
        if not common:
            raise RecordsError(
                f"a paired difference needs a {name} that both methods have; one has {_few(getattr(one, name + 's'))}, "
                f"the other {_few(had)}. Evaluate both on the same {name}s"
            )
    chosen = np.ix_(
        [one.seeds.index(seed) for seed in seeds],
        [one.problems.index(problem) for problem in problems],
        [one.languages.index(code) for code in languages],
    )
    return Cells(
        tuple(seeds), tuple(problems), tuple(languages), {name: value[chosen] for name, value in one.values.items()}
    )


def _few(names: Sequence[object]) -> str:
    return ", ".join(map(str, names[:3])) + (", ..." if len(names) > 3 else "")


def _weighted(values: Array, over: tuple[Array, Array]) -> Array:
    """Weighted sums over seeds and problems: [1 + R, languages]."""
    seeds, problems, languages = values.shape
    by_problem = (over[0] @ values.reshape(seeds, -1)).reshape(-1, problems, languages)
    return np.asarray(np.einsum("rpl,rp->rl", by_problem, over[1]))
