"""The research questions of Budget Alignment, each with a table, a picture and one sentence that the data make.

A method has one model a language, or one for all; an arm is called by the method and, of a model for one language, its code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from src.analysis.dominance import WON, Dominance, data_sets, dominance
from src.analysis.statistics import (
    RESAMPLES,
    Cells,
    Estimate,
    cells,
    differences,
    estimate,
    known,
    macro,
    paired,
    resampled,
)
from src.common.errors import UserError
from src.common.tables import Table
from src.language.table import LANGUAGES
from src.reporting import figures
from src.reporting.dominance import by_pair, counted, signed
from src.reporting.page import Section
from src.reporting.tables import Row, beside_expected, cell

BASE, SFT, GRPO_BASE, GRPO_SFT, MERGE = METHODS = ("Base", "SFT", "GRPO-Base", "GRPO-SFT", "MERGE")
FOLLOWING = "following"
Sets = Mapping[str, Cells]  # data set -> cells of one method


@dataclass(frozen=True)
class Difference:
    """Method minus another, of one metric on one data set in one language."""

    data_set: str
    language: str
    metric: str
    one: float
    other: float
    difference: Estimate

    @property
    def name(self) -> str:
        return f"{self.data_set} {self.language}"


@dataclass(frozen=True)
class Answers:
    """What the study says: `methods` -> cells by data set, `quality` the measure beside following (`pass@<k>`)."""

    methods: Mapping[str, Sets]
    quality: str

    def compared(self, one: str, other: str, metrics: Sequence[str]) -> list[Difference]:
        """Paired differences of two methods on every data set, language and metric."""
        rows = []
        for name in self.methods[one]:
            first, second = self.methods[one][name], self.methods[other][name]
            for code in (code for code in first.languages if code in second.languages):
                for metric in metrics:
                    values = [float(macro(side, metric, [code], resampled(side, 0))[0]) for side in (first, second)]
                    rows.append(Difference(name, code, metric, *values, differences(first, second, metric, [code])))
        return rows

    def dominated(self) -> dict[tuple[str, str], Dominance]:
        """Every method against the base."""
        others = [method for method in self.methods if method != BASE]
        return {(m, BASE): dominance(self.methods[m], self.methods[BASE], self.quality) for m in others}


def by_method(arms: Mapping[str, Mapping[int, Any]]) -> dict[str, dict[int, Any]]:
    """Arm -> seed -> records, put together by method: the rows of `SFT ja`, `SFT fr` are those of `SFT`.

    Raises:
        UserError: a method lacks one of METHODS, or a seed in one of its languages.
    """
    import pandas

    pieces: dict[str, dict[int, list[Any]]] = {}
    for arm, seeds in arms.items():
        method, _, code = arm.rpartition(" ")
        method = method if code in LANGUAGES else arm
        for seed, frame in seeds.items():
            chosen = frame[frame["language"] == code] if code in LANGUAGES and method else frame
            pieces.setdefault(method, {}).setdefault(seed, []).append(chosen)
    missing = [method for method in METHODS if method not in pieces]
    if missing:
        raise UserError(f"the study needs arms of {', '.join(METHODS)}; there is none of {missing[0]}. Run them first")
    return {
        method: {seed: pandas.concat(pieces[method][seed], ignore_index=True) for seed in sorted(pieces[method])}
        for method in METHODS
    }


def answers(
    records: Mapping[str, Mapping[int, Any]], pass_at: Sequence[int], weights: Mapping[str, float] | None = None
) -> Answers:
    """From the records of each method; the largest of `pass_at` is the measure of quality.

    Raises:
        UserError: records do not belong together, or have fewer samples than a k of `pass_at`.
    """
    first = next(iter(records[BASE].values()))
    splits = list(dict.fromkeys(first["split"]))
    methods = {
        method: data_sets({split: cells(dict(frames), split, weights, pass_at) for split in splits})
        for method, frames in records.items()
    }
    return Answers(methods, f"pass@{max(pass_at)}" if pass_at else "accuracy")


def rows(study: Answers) -> list[Row]:
    """All metrics of every method on every data set in every language, for the table beside what was published."""
    lines = []
    for method, sets in study.methods.items():
        for name, data in sets.items():
            over = resampled(data)
            for code in data.languages:
                values = {metric: estimate(macro(data, metric, [code], over)) for metric in known(data)}
                lines.append(Row(method, name, code, values))
    return lines


def sections(study: Answers, output: Path, expected: Path | None = None) -> list[Section]:
    """The page: results, RQ0 to RQ5, and beside what was published; pictures go to `output`."""
    every = rows(study)
    results = study.dominated()
    page = [Section("All arms", _all_words(study), _all(every, study.quality))]
    page.append(_following_of_sft(study, output / "rq0.png"))
    for number, one, other, title in (
        (1, SFT, BASE, "What does SFT do to accuracy?"),
        (2, GRPO_SFT, SFT, "Does GRPO after SFT win accuracy back, and keep the language?"),
        (3, GRPO_SFT, GRPO_BASE, "Is it better to start GRPO from SFT than from the base?"),
    ):
        compared = study.compared(one, other, (study.quality, FOLLOWING))
        words = " ".join(
            sentence(f"{one} against {other}, {metric}", [row for row in compared if row.metric == metric])
            for metric in (study.quality, FOLLOWING)
        )
        path = output / f"rq{number}.png"
        draw_differences({f"{one} - {other}": compared}, path)
        page.append(Section(f"RQ{number}. {title}", words, difference_table(compared, one, other), path))
    path = output / "rq4.png"
    draw_points(results[GRPO_SFT, BASE], study.quality, f"{BASE} -> {GRPO_SFT}", path)
    page.append(Section("RQ4. Is the base Pareto-dominated?", dominance_sentence(results), counted(results), path))
    page.append(
        Section(
            f"RQ4, pair by pair: {GRPO_SFT} against {BASE}",
            "sure, sure dominated: the share of resamples in which the pair is won, and lost.",
            by_pair(results[GRPO_SFT, BASE], study.quality),
        )
    )
    page.append(_merged(study, output / "rq5.png"))
    if expected is not None:
        words = "Published with models of 7 billion parameters on other data sets; empty where nothing is published."
        page.append(Section("Beside expected.csv", words, beside_expected(every, expected)))
    return page


def _following_of_sft(study: Answers, path: Path) -> Section:
    means = mean_differences(study.methods[SFT], study.methods[BASE], FOLLOWING)
    draw_differences({f"{SFT} - {BASE}": means}, path)
    words = sentence(f"{SFT} against {BASE}, {FOLLOWING}, mean of the data sets", means)
    return Section("RQ0. Does SFT make the model follow the language?", words, difference_table(means, SFT, BASE), path)


def _merged(study: Answers, path: Path) -> Section:
    compared = {
        f"{MERGE} - {other}": study.compared(MERGE, other, (study.quality, FOLLOWING))
        for other in (BASE, SFT, GRPO_SFT)
    }
    draw_differences(compared, path)
    words = " ".join(
        sentence(
            f"{MERGE} against {name.removeprefix(f'{MERGE} - ')}, {metric}", [r for r in pair if r.metric == metric]
        )
        for name, pair in compared.items()
        for metric in (study.quality, FOLLOWING)
    )
    lines = [
        (name, row.data_set, row.language, row.metric, _value(row.other), _value(row.one), signed(row.difference))
        for name, pair in compared.items()
        for row in pair
    ]
    head = ("difference", "data set", "language", "metric", "other", MERGE, "difference")
    return Section("RQ5. Does merging keep both?", words, Table(head, lines), path)


def mean_differences(one: Sets, other: Sets, metric: str) -> list[Difference]:
    """Paired differences by language of the mean over the data sets that the metric applies to.

    Seeds are drawn alike in all data sets, problems in each.
    """
    lines = []
    both = [paired(one[name], other[name]) for name in one]
    for code in (code for code in next(iter(one.values())).languages if code in both[0][0].languages):
        sides = [
            np.stack([macro(data, metric, [code], resampled(data)) for data in side])
            for side in zip(*both, strict=True)
        ]
        there = ~np.isnan(sides[0][:, 0] + sides[1][:, 0])
        kept = [side[there].mean(0) if there.any() else np.full(1 + RESAMPLES, np.nan) for side in sides]
        difference = kept[0] - kept[1]
        lines.append(Difference("mean", code, metric, float(kept[0][0]), float(kept[1][0]), _estimate(difference)))
    return lines


def sentence(subject: str, compared: Sequence[Difference]) -> str:
    """What the differences show and what they do not: an interval that covers zero shows no difference.

    >>> up = Difference("test", "ja", "accuracy", 0.8, 0.5, Estimate(0.3, 0.1, 0.5))
    >>> unsure = Difference("test", "fr", "accuracy", 0.6, 0.5, Estimate(0.1, -0.1, 0.3))
    >>> sentence("SFT against Base", [up, unsure])
    'SFT against Base: higher in 1 of 2 (test ja); the data do not show a difference in 1 (test fr).'
    """
    higher = [row.name for row in compared if row.difference.low > 0]
    lower = [row.name for row in compared if row.difference.high < 0]
    unknown = [row.name for row in compared if not isfinite(row.difference.value)]
    unclear = [row.name for row in compared if row.name not in (*higher, *lower, *unknown)]
    kinds = (
        ("higher in", higher),
        ("lower in", lower),
        ("the data do not show a difference in", unclear),
        ("it does not apply in", unknown),
    )
    shown = [(words, names) for words, names in kinds if names]
    texts = [
        f"{words} {len(names)}{f' of {len(compared)}' if not place else ''} ({', '.join(names)})"
        for place, (words, names) in enumerate(shown)
    ]
    return f"{subject}: {'; '.join(texts) or 'there is nothing to compare'}."


def dominance_sentence(results: Mapping[tuple[str, str], Dominance]) -> str:
    """In how many pairs the methods strictly dominate; a count whose interval holds zero shows no dominance."""
    texts = []
    for (method, other), result in results.items():
        count = f"{result.won.value:.0f} of {len(result.pairs)} pairs [{result.won.low:.0f}, {result.won.high:.0f}]"
        texts.append(f"{method} strictly dominates {other} in {count}")
        if result.won.low <= 0:
            texts[-1] += ", which does not show that it does anywhere, for the interval holds zero"
    return "; ".join(texts) + ". The post claims 9 of 12 for GRPO-SFT; its own figures give 5."


def difference_table(compared: Sequence[Difference], one: str, other: str) -> Table:
    """A row for each difference: both values, and the paired difference with its interval."""
    lines = [
        (row.data_set, row.language, row.metric, _value(row.other), _value(row.one), signed(row.difference))
        for row in compared
    ]
    return Table(("data set", "language", "metric", other, one, f"{one} - {other}"), lines)


def _all_words(study: Answers) -> str:
    data = next(iter(study.methods[BASE].values()))
    return (
        f"Seeds {', '.join(map(str, data.seeds))}; {len(data.problems)} problems a language and data set. Intervals are 95 % "
        "bootstrap over seeds and problems, differences paired on both."
    )


def _all(every: Sequence[Row], quality: str) -> Table:
    metrics = [
        name
        for name in ("accuracy", quality, f"in-language {quality}", FOLLOWING, "following applies", "truncated")
        if any(name in row.values for row in every)
    ]
    lines = [
        (row.split, row.domain, row.method, *(cell(name, row.values[name]) for name in metrics))
        for row in sorted(every, key=lambda row: (_order(every, row), METHODS.index(row.method)))
    ]
    return Table(("data set", "language", "method", *metrics), lines)


def _order(every: Sequence[Row], row: Row) -> int:
    return list(dict.fromkeys((other.split, other.domain) for other in every)).index((row.split, row.domain))


def draw_differences(compared: Mapping[str, Sequence[Difference]], path: Path) -> None:
    """A panel for each comparison and metric: differences with their intervals, pair below pair, and the line of zero."""
    panels = [
        (title, metric, [row for row in rows if row.metric == metric])
        for title, rows in compared.items()
        for metric in dict.fromkeys(row.metric for row in rows)
    ]
    height = 1.2 + 0.3 * max(len(shown) for _, _, shown in panels)
    figure, axes = figures.canvas(1, len(panels), width=3.0 + 2.3 * len(panels), height=height)
    for axis, (title, metric, shown) in zip(axes, panels, strict=True):
        for place, row in enumerate(shown):
            value = row.difference
            if isfinite(value.value):
                axis.plot([value.low, value.high], [place, place], color="#0072B2", linewidth=1.4)
                axis.plot([value.value], [place], "o", color="#0072B2", markersize=5)
        axis.axvline(0, color="black", linewidth=0.6)
        names = [row.name for row in shown] if axis is axes[0] else []
        axis.set(yticks=range(len(shown)), ylim=(len(shown) - 0.5, -0.5))
        axis.set_yticklabels(names if names else [""] * len(shown))
        axis.set_title(f"{metric}\n{title}", fontsize=9)
        axis.grid(alpha=0.25)
    figures.save(figure, path, vector=False)


def draw_points(result: Dominance, quality: str, title: str, path: Path) -> None:
    """An arrow for each pair from the other method's point to the method's: following across, quality upwards."""
    figure, axes = figures.canvas(1, 1, width=6.0, height=5.0)
    for pair in result.pairs:
        if not all(map(isfinite, (*pair.one, *pair.other))):
            continue
        tone = "#009E73" if pair.verdict == WON else "#D55E00"
        axes[0].annotate("", xy=pair.one[::-1], xytext=pair.other[::-1], arrowprops={"arrowstyle": "->", "color": tone})
        axes[0].annotate(f"{pair.data_set} {pair.language}", xy=pair.one[::-1], fontsize=7)
    axes[0].set(xlabel=FOLLOWING, ylabel=quality, xlim=(-0.03, 1.1), ylim=(-0.03, 1.05))
    axes[0].set_title(f"{title} (green: dominates)", fontsize=10)
    axes[0].grid(alpha=0.25)
    figures.save(figure, path, vector=False)


def _value(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "-"


def _estimate(values: Any) -> Estimate:
    return estimate(values) if isfinite(values[0]) else Estimate(*[float("nan")] * 3)
