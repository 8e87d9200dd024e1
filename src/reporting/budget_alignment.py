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
from src.reporting.differences import Difference, difference_table, draw_differences, sentence
from src.reporting.dominance import by_pair, counted
from src.reporting.page import Section
from src.reporting.tables import Row, beside_expected, cell

BASE, SFT, GRPO_BASE, GRPO_SFT, MERGE = METHODS = ("Base", "SFT", "GRPO-Base", "GRPO-SFT", "MERGE")
FOLLOWING = "following"
Sets = Mapping[str, Cells]  # data set -> cells of one method


@dataclass(frozen=True)
class Answers:
    """What the study says: `methods` -> cells by data set, `quality` the measure beside following (`pass@<k>`)."""

    methods: Mapping[str, Sets]
    quality: str

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is compared: accuracy (pass@1), the measure of quality, following."""
        return tuple(dict.fromkeys(("accuracy", self.quality, FOLLOWING)))

    def compared(self, one: str, other: str, metrics: Sequence[str]) -> list[Difference]:
        """Paired differences of two methods on every data set, language and metric."""
        rows = []
        for name in self.methods[one]:
            first, second = self.methods[one][name], self.methods[other][name]
            for code in (code for code in first.languages if code in second.languages):
                for metric in metrics:
                    ours, theirs = (
                        float(macro(side, metric, [code], resampled(side, 0))[0]) for side in (first, second)
                    )
                    paired_difference = differences(first, second, metric, [code])
                    rows.append(Difference(name, code, metric, ours, theirs, paired_difference))
        return rows

    def dominated(self, quality: str | None = None) -> dict[tuple[str, str], Dominance]:
        """Every method against the base, in `quality` (null: the study's) and following."""
        others = [method for method in self.methods if method != BASE]
        return {(m, BASE): dominance(self.methods[m], self.methods[BASE], quality or self.quality) for m in others}


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
        compared = study.compared(one, other, study.metrics)
        words = sentence(f"{one} against {other}", compared)
        path = output / f"rq{number}.png"
        draw_differences({f"{one} - {other}": compared}, path)
        page.append(Section(f"RQ{number}. {title}", words, difference_table(compared, one, other), path))
    path = output / "rq4.png"
    draw_points(results[GRPO_SFT, BASE], study.quality, f"{BASE} -> {GRPO_SFT}", path)
    words = f"In {study.quality} and {FOLLOWING}: {dominance_sentence(results)}"
    page.append(Section("RQ4. Is the base Pareto-dominated?", words, counted(results), path))
    if study.quality != "accuracy":
        words = f"In accuracy (pass@1) and {FOLLOWING}."
        page.append(Section("RQ4 with one answer", words, counted(study.dominated("accuracy"))))
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
    words = sentence(f"{SFT} against {BASE}, mean of the data sets", means)
    return Section("RQ0. Does SFT make the model follow the language?", words, difference_table(means, SFT, BASE), path)


def _merged(study: Answers, path: Path) -> Section:
    compared = {f"{MERGE} - {other}": study.compared(MERGE, other, study.metrics) for other in (BASE, SFT, GRPO_SFT)}
    draw_differences(compared, path)
    words = " ".join(
        sentence(f"{MERGE} against {name.removeprefix(f'{MERGE} - ')}", pair) for name, pair in compared.items()
    )
    lines = [(name, *row.texts()) for name, pair in compared.items() for row in pair]
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


def dominance_sentence(results: Mapping[tuple[str, str], Dominance]) -> str:
    """In how many pairs the methods strictly dominate; a count whose interval holds zero shows no dominance."""
    texts = []
    for (method, other), result in results.items():
        count = f"{result.won.value:.0f} of {len(result.pairs)} pairs [{result.won.low:.0f}, {result.won.high:.0f}]"
        texts.append(f"{method} strictly dominates {other} in {count}")
        if result.won.low <= 0:
            texts[-1] += ", which does not show that it does anywhere, for the interval holds zero"
    return "; ".join(texts) + ". The post claims 9 of 12 for GRPO-SFT; its own figures give 5."


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


def draw_points(result: Dominance, quality: str, title: str, path: Path) -> None:
    """An arrow for each pair from the other method's point to the method's: following across, quality upwards."""
    figure, axes = figures.canvas(1, 1, width=6.0, height=5.0)
    for pair in result.pairs:
        if not all(map(isfinite, (*pair.one, *pair.other))):
            continue
        tone = "#009E73" if pair.verdict == WON else "#D55E00"
        axes[0].annotate("", xy=pair.one[::-1], xytext=pair.other[::-1], arrowprops={"arrowstyle": "->", "color": tone})
        axes[0].plot(*pair.other[::-1], "o", color=tone, markersize=4)
        axes[0].annotate(f"{pair.data_set} {pair.language}", xy=pair.other[::-1], fontsize=7, rotation=20)
        axes[0].plot(*pair.one[::-1], alpha=0, marker="o")  # arrows do not widen the axes
    axes[0].margins(0.12)
    axes[0].set(xlabel=FOLLOWING, ylabel=quality)
    axes[0].set_title(f"{title} (green: dominates)", fontsize=10)
    axes[0].grid(alpha=0.25)
    figures.save(figure, path, vector=False)


def _estimate(values: Any) -> Estimate:
    return estimate(values) if isfinite(values[0]) else Estimate(*[float("nan")] * 3)
