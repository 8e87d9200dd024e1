"""Macro averages over languages, with bootstrap intervals over seeds and problems, and paired differences.

The design is crossed: the same problems are asked in every language, of every method and of every seed. A
resample draws seeds and problems with replacement and takes everything that belongs to them, so that intervals
hold for new problems and new seeds, and a difference of methods is taken on the same resamples. Problems are drawn
within their stratum: those of one part (source, difficulty level) and, where every language has problems of its
own, of one language. A p value comes from flipping signs of problems: it says nothing about new seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src.analysis.majority import maj_at_k
from src.analysis.pass_at_k import pass_at_k
from src.common.errors import UserError

Array = NDArray[np.float64]
Counts = NDArray[np.uint8]
RESAMPLES = 2000
BLOCK = 2**24  # numbers at a time: 128 MB
FLIPS = 10_000
EXACT = 12  # with so many problems or fewer, all 2^n sign flips are counted
# Column of the table -> column of the records; lcpr is made from line and word passes, pass@k and maj@k are their own columns.
METRICS = {
    "accuracy": "correct",
    "fidelity": "in_language",
    "right and in language": "right_and_in_language",
    "LCPR": "",
    "code-switched": "code_switched",
    "tokens": "tokens",
    "truncated": "truncated",
}
# A second table; tokens per right answer is a ratio of the two means, and so are those of RATIOS.
DETAILS = {
    "following": "",
    "trace follows": "",
    "answer follows": "",
    "following applies": "follows_known",
    "line pass": "line_pass",
    "word pass": "word_pass",
    "answer in another language": "answer_foreign",
    "foreign script": "foreign_script",
    "tokens per right answer": "",
    "unparsed": "unparsed",
    "timeout or error": "failed",
}
# Shares of the completions to which they apply -> (columns: applies and is so, applies).
RATIOS = {
    "following": ("follows", "follows_known"),
    "trace follows": ("trace_follows", "trace_follows_known"),
    "answer follows": ("answer_follows", "answer_follows_known"),
}
# Columns of their own, followed by k: at least one of k samples is right; is right and follows; the majority of k is right.
AT_K = ("pass@", "in-language pass@", "maj@")


class RecordsError(UserError, ValueError):
    """Records that cannot be averaged or compared; the message states the rule, the value and the fix."""


@dataclass(frozen=True)
class Cells:
    """Means over samples: `values[column]` is [seeds, problems, languages], NaN where a language lacks the problem.

    `parts` names the part of each problem, "" where there are none. In averages a part weighs `part_weights[part]`,
    however many problems it has; without `part_weights` every problem counts the same.
    """

    seeds: tuple[int, ...]
    problems: tuple[str, ...]
    languages: tuple[str, ...]
    values: dict[str, Array]
    parts: tuple[str, ...]
    part_weights: Mapping[str, float] | None = None

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which problem is there in which language: [problems, languages]."""
        return np.asarray(~np.isnan(self.values["correct"][0]))

    @property
    def strata(self) -> NDArray[np.intp]:
        """A number for each problem, the same for those of one part that are there in the same languages: [problems]."""
        keys = [(part, row.tobytes()) for part, row in zip(self.parts, self.present, strict=True)]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        return np.array([numbers[key] for key in keys])

    @property
    def weights(self) -> Array:
        """The weight of each problem, w_p / n_p with n_p the size of its stratum, scaled to mean 1: [problems]."""
        if self.part_weights is None:
            return np.ones(len(self.problems))
        weights = np.array([self.part_weights[part] for part in self.parts], dtype=float)
        weights /= np.bincount(self.strata)[self.strata]
        return np.asarray(weights / weights.mean())


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % percentile interval."""

    value: float
    low: float
    high: float

    def text(self, digits: int = 3) -> str:
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def cells(
    records: dict[int, Any],
    split: str,
    part_weights: Mapping[str, float] | None = None,
    pass_at: Sequence[int] = (),
) -> Cells:
    """From records (seed -> DataFrame) of one split.

    With `part_weights` (part -> weight) an average over problems is sum_p w_p mean_p / sum_p w_p over the parts that
    are there, told by the column `part`. Each k of `pass_at` gives a column `pass@k`, where the records tell what follows
    `in-language pass@k`, and where they hold answers `maj@k`, the majority among the first k samples. Every problem must be there in
    every language, unless no problem is there in two: then a language's mean is over its own.

    Raises:
        RecordsError: a seed lacks the split, a (problem, language), or has problems that the first does not; a
            problem is of two parts; a part has no weight, or is not there in every language.
        TooFewSamples: there are fewer than k samples.
    """
    frames = {seed: frame[frame["split"] == split].copy() for seed, frame in sorted(records.items())}
    for seed, frame in frames.items():
        if frame.empty:
            raise RecordsError(f"seed {seed}: every seed needs records of split {split!r}, here are none; evaluate it")
    first = next(iter(frames.values()))
    problems = tuple(dict.fromkeys(first["problem"]))
    languages = tuple(dict.fromkeys(first["language"]))
    counts = first.groupby(["problem", "language"]).size().unstack("language")
    present = counts.reindex(index=list(problems), columns=list(languages)).notna().to_numpy()
    present = present | (present.sum(1) > 1).any()  # one shared problem: all must be
    for frame in frames.values():
        frame["both_pass"] = frame["line_pass"] & frame["word_pass"]
        if frame["tokens"].isna().any():  # a mean over those that somebody counted would be of other completions
            frame["tokens"] = np.nan
        if "answer_detected" in frame:
            frame["answer_foreign"] = frame["answer_detected"].notna() & (frame["answer_detected"] != frame["language"])
        if "status" in frame:
            frame["unparsed"] = frame["status"] == "unparsed"
            frame["failed"] = frame["status"].isin(("timeout", "error"))
        for counted, known_of in RATIOS.values():
            if counted in frame:
                frame[known_of] = frame[counted].notna()
                frame[counted] = frame[counted].eq(True)
        if "follows" in frame:
            frame["right_and_follows"] = frame["correct"].astype(bool) & frame["follows"]
    counts_of = [column for pair in RATIOS.values() for column in pair]
    wanted = dict.fromkeys([*METRICS.values(), *DETAILS.values(), "line_pass", "both_pass", *counts_of])
    columns = [name for name in wanted if name and all(name in frame for frame in frames.values())]
    needs = dict(zip(AT_K, ("correct", "follows", "answer"), strict=True))
    ways = [way for way in AT_K if all(needs[way] in frame for frame in frames.values())]
    at_k = [f"{way}{k}" for way in ways for k in pass_at]
    stacks: dict[str, list[Array]] = {column: [] for column in (*columns, *at_k)}
    for seed, frame in frames.items():
        groups = frame.astype(dict.fromkeys(columns, float)).groupby(["problem", "language"])
        means = groups[columns].mean()
        right = groups["correct"].agg(["size", "sum"])
        for k in pass_at:
            means[f"pass@{k}"] = pass_at_k(right["size"], right["sum"], k)
            if "in-language pass@" in ways:
                means[f"in-language pass@{k}"] = pass_at_k(right["size"], groups["right_and_follows"].sum(), k)
            if "maj@" in ways:
                means[f"maj@{k}"] = _majorities(frame, k)
        for column, stack in stacks.items():
            table = means[column].unstack("language")
            same = set(table.index) == set(problems) and set(table.columns) == set(languages)
            table = table.reindex(index=list(problems), columns=list(languages))
            untold = column == "tokens" and table.isna().to_numpy().all()
            if not same or (not untold and (table.notna().to_numpy() != present).any()):
                raise RecordsError(
                    f"seed {seed}, split {split}: every problem must be there in every language ({', '.join(languages)}), the "
                    f"same for all seeds, unless each language has its own; of {len(problems)} some are not. Evaluate it again"
                )
            stack.append(table.to_numpy(dtype=float))
    values = {name: np.stack(stack) for name, stack in stacks.items()}
    data = Cells(tuple(frames), problems, languages, values, parts_of(frames, problems), part_weights or None)
    check_weights(data)
    return data


def _majorities(frame: Any, k: int) -> Any:
    """maj@k of each (problem, language), from its first k samples. What was cut off or not read does not vote."""
    import pandas

    ordered = frame.sort_values("sample", kind="stable") if "sample" in frame else frame
    silent = ordered["answer"].isna()
    for column in ("truncated", "unparsed"):
        silent |= ordered[column].astype(bool) if column in ordered else False
    ordered = ordered.assign(vote=ordered["answer"].astype(object).where(~silent, None))
    groups = ordered.groupby(["problem", "language"]).head(k).groupby(["problem", "language"])
    values = {
        key: maj_at_k(list(group["vote"]), [bool(value) for value in group["correct"]], key[1])
        for key, group in groups[["vote", "correct"]]
    }
    return pandas.Series(values)


def weights(
    seeds: int, problems: int, resamples: int = RESAMPLES, seed: int = 0, strata: NDArray[np.intp] | None = None
) -> tuple[Counts, Counts]:
    """Bootstrap weights: row 0 is the sample itself, the others count draws; [1 + R, seeds] and [1 + R, problems].

    Problems are drawn within their stratum, as many as it has; `strata` numbers them, by default they are one.
    """
    generator = np.random.default_rng(seed)

    def draw(groups: NDArray[np.intp]) -> Counts:
        drawn = np.ones((1 + resamples, len(groups)), dtype=np.uint8)  # a problem drawn 256 times will not be seen
        for group in range(groups.max() + 1):
            (members,) = np.nonzero(groups == group)
            count = len(members)
            for rows in _blocks(resamples, count):
                size = rows.stop - rows.start
                taken = generator.multinomial(count, np.full(count, 1 / count), size=size)
                drawn[1 + rows.start : 1 + rows.stop, members] = taken
        return drawn

    return draw(np.zeros(seeds, dtype=int)), draw(np.zeros(problems, dtype=int) if strata is None else strata)


def resampled(data: Cells, resamples: int = RESAMPLES, seed: int = 0) -> tuple[Counts, Counts]:
    """The `weights` that fit the seeds, problems and strata of `data`."""
    return weights(len(data.seeds), len(data.problems), resamples, seed, data.strata)


def macro(data: Cells, metric: str, languages: Sequence[str], over: tuple[Counts, Counts]) -> Array:
    """The metric (of METRICS or DETAILS, or AT_K with its k), averaged over `languages` with equal weight, on every resample: [1 + R]."""
    chosen = [data.languages.index(code) for code in languages if code in data.languages]
    if not chosen:
        return np.full(len(over[0]), np.nan)
    if metric == "LCPR":
        line_rate = _means(data, "line_pass", chosen, over)
        both_rate = _means(data, "both_pass", chosen, over)
        word_rate = np.divide(both_rate, line_rate, out=np.zeros_like(both_rate), where=line_rate > 0)
        return np.asarray(lcpr(line_rate, word_rate).mean(1))
    if metric in RATIOS:
        hits, applies = (_means(data, column, chosen, over) for column in RATIOS[metric])
        share = np.divide(hits, applies, out=np.full_like(hits, np.nan), where=applies > 0)
        there = ~np.isnan(share[0])  # languages in which it applies at all
        return np.asarray(share[:, there].mean(1)) if there.any() else np.full(len(share), np.nan)
    if metric == "tokens per right answer":
        tokens, right = (_means(data, column, chosen, over).mean(1) for column in ("tokens", "correct"))
        nothing_right = np.where(np.isnan(tokens), np.nan, np.inf)
        return np.asarray(np.divide(tokens, right, out=nothing_right, where=right > 0))
    return np.asarray(_means(data, (METRICS | DETAILS).get(metric, metric), chosen, over).mean(1))


def lcpr(line_rate: ArrayLike, word_rate: ArrayLike) -> Array:
    """Language consistency pass rate, element by element: the harmonic mean of line and word pass rates; 0 when both
    are 0."""
    line = np.asarray(line_rate, dtype=float)
    word = np.asarray(word_rate, dtype=float)
    total = line + word
    return np.asarray(np.divide(2 * line * word, total, out=np.zeros_like(total), where=total > 0))


def known(data: Cells) -> list[str]:
    """The metrics that the records of `data` can tell, those of AT_K after those of the tables."""
    named = [
        name for name, column in (METRICS | DETAILS).items() if RATIOS.get(name, (column,))[0] in ("", *data.values)
    ]
    return [*named, *(name for name in data.values if name.startswith(AT_K))]


def estimate(values: Array) -> Estimate:
    """From the resampled values [1 + R] of `macro`, or a difference of two of them."""
    # Between infinite values, as a ratio has them where nothing was right, there is nothing to interpolate.
    # A share of what it applies to has no value in a draw without any such.
    draws = values[1:][~np.isnan(values[1:])] if np.isfinite(values[0]) else values[1:]
    method = "linear" if np.isfinite(draws).all() else "nearest"
    low, high = np.percentile(draws, [2.5, 97.5], method=method)  # type: ignore[call-overload]
    return Estimate(float(values[0]), float(low), float(high))


def differences(one: Cells, other: Cells, metric: str, languages: Sequence[str]) -> Estimate:
    """`one` minus `other`, paired: on the seeds, problems and languages both have.

    Raises:
        RecordsError: they cannot be paired.
    """
    one, other = paired(one, other)
    over = resampled(one)
    return estimate(macro(one, metric, languages, over) - macro(other, metric, languages, over))


def p_value(one: Cells, other: Cells, metric: str, languages: Sequence[str]) -> float:
    """Two-sided p value of the paired difference: the share of sign flips that make it at least as large.

    A problem's difference, averaged over seeds, samples and languages, is flipped as one. All 2^n flips are counted
    where up to 12 problems differ; else 10,000 random ones, and the sample itself. NaN for LCPR, the RATIOS and tokens
    per right answer, which are no means over problems, without languages, and where nobody counted.

    Raises:
        RecordsError: they cannot be paired.
    """
    one, other = paired(one, other)
    chosen = [one.languages.index(code) for code in languages if code in one.languages]
    column = (METRICS | DETAILS).get(metric, metric)
    counted = column and not (np.isnan(one.values[column]).all() or np.isnan(other.values[column]).all())
    if not counted or not chosen:
        return float("nan")
    share = one.weights[:, None] * one.present[:, chosen]
    difference = np.nan_to_num(one.values[column] - other.values[column])[..., chosen].mean(0)
    terms = (difference * share / share.sum(0)).mean(1)  # [problems]; their sum is the difference of the macro averages
    terms = terms[terms != 0]
    if len(terms) <= EXACT:
        flipped = np.array(list(product((1.0, -1.0), repeat=len(terms)))) @ terms
        itself = 0
    else:
        generator = np.random.default_rng(0)
        blocks = _blocks(FLIPS // 10, len(terms)) * 10
        flipped = np.concatenate(
            [generator.choice((1.0, -1.0), size=(rows.stop - rows.start, len(terms))) @ terms for rows in blocks]
        )
        itself = 1
    as_large = np.abs(flipped) >= abs(terms.sum()) - 1e-9 * np.abs(terms).sum()  # equal sums may be rounded apart
    return float((as_large.sum() + itself) / (len(flipped) + itself))


def p_text(p: float) -> str:
    """A p value as it may be read: at the floor of its test, 1 in 10,001, it is only known to be below.

    >>> p_text(1 / 10_001), p_text(0.0312)
    ('p < 0.001', 'p = 0.031')
    """
    if not np.isfinite(p):
        return "no p value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def paired(one: Cells, other: Cells) -> tuple[Cells, Cells]:
    """Both on the seeds, problems and languages that both have, in the same order.

    Raises:
        RecordsError: they have no seed, or no problem, in common, or weigh or ask the problems differently.
    """
    first, second = one, other
    one = _common(first, second)
    other = _common(second, first)
    alike = one.parts == other.parts and one.part_weights == other.part_weights
    if not alike or (one.present != other.present).any() or not one.present.any(0).all():
        raise RecordsError(
            "a paired difference needs each problem in the same part and languages, and the same weights of the parts, "
            "in both methods; here they differ. Evaluate both on the same benchmark"
        )
    return one, other


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
    rows = [one.problems.index(problem) for problem in problems]
    chosen = np.ix_([one.seeds.index(seed) for seed in seeds], rows, [one.languages.index(code) for code in languages])
    return Cells(
        tuple(seeds),
        tuple(problems),
        tuple(languages),
        {name: value[chosen] for name, value in one.values.items()},
        tuple(one.parts[row] for row in rows),
        one.part_weights,
    )


def parts_of(frames: Mapping[int, Any], problems: Sequence[str]) -> tuple[str, ...]:
    """The part of each problem, "" where the records do not tell."""
    part_of: dict[str, str] = {}
    for frame in frames.values():
        parts = frame["part"].fillna("") if "part" in frame else [""] * len(frame)
        for problem, part in zip(frame["problem"], parts, strict=True):
            if part_of.setdefault(problem, part) != part:
                raise RecordsError(
                    f"a problem must be of one part; {problem!r} is of {part_of[problem]!r} and {part!r}. "
                    "Evaluate all seeds on the same benchmark"
                )
    return tuple(part_of[problem] for problem in problems)


def check_weights(data: Cells) -> None:
    """Raise `RecordsError` where a part has no weight, or a language none of its problems."""
    if data.part_weights is None:
        return
    for part in dict.fromkeys(data.parts):
        if part not in data.part_weights:
            raise RecordsError(
                f"every part needs a weight; {part!r} has none among {dict(data.part_weights)}. Add it to benchmark.weights"
            )
        for code, there in zip(data.languages, data.present[np.array(data.parts) == part].any(0), strict=True):
            if not there:
                raise RecordsError(
                    f"every language needs problems of every part; {code} has none of {part!r}. Add some"
                )


def _few(names: Sequence[object]) -> str:
    return ", ".join(map(str, names[:3])) + (", ..." if len(names) > 3 else "")


def _means(data: Cells, column: str, chosen: Sequence[int], over: tuple[Counts, Counts]) -> Array:
    """Weighted means over seeds and the problems that each chosen language has: [1 + R, languages]."""
    if np.isnan(data.values[column]).all():
        return np.full((len(over[0]), len(chosen)), np.nan)
    values = np.nan_to_num(data.values[column][..., chosen])
    part_weights, present = data.weights, data.present[:, chosen].astype(float)
    means = np.empty((len(over[0]), len(chosen)))
    for rows in _blocks(*over[1].shape):
        problems = over[1][rows] * part_weights
        sums = np.einsum("rs,srl->rl", over[0][rows].astype(float), problems @ values)
        means[rows] = sums / (over[0][rows].sum(1)[:, None] * (problems @ present))
    return means


def _blocks(rows: int, columns: int) -> list[slice]:
    """The rows of a table in blocks of at most `BLOCK` numbers, so that it is never whole in memory as floats."""
    size = max(1, BLOCK // max(1, columns))
    return [slice(start, min(rows, start + size)) for start in range(0, rows, size)]
