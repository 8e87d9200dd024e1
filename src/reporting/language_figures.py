"""Pictures by language: results as a heat map, training curves, the language of the rollouts, and what groups teach.

They can be read in grey: colours differ in lightness, areas have hatches and lines markers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isfinite
from pathlib import Path
from typing import Any

import numpy as np

from src.analysis.domains import ALL, ENGLISH, NON_ENGLISH
from src.language.table import LANGUAGES
from src.reporting.figures import canvas, line_of, save
from src.reporting.flow import UNKNOWN, Flow
from src.reporting.tables import Row, label

Curves = Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]  # method -> lines of metrics of each seed
MAPPED = ("accuracy", "fidelity", "right and in language")
OVER_TRAINING = ("accuracy", "fidelity", "alignment_factor")
GROUPS = {
    "language_term_groups": "groups that the language term changes",
    "zero_variance_groups": "groups without contrast",
}
SMOOTHED = 5  # steps
OTHERS = 4  # languages, beside that of the question and English, that have an area of their own
LABELLED = 0.12  # share from which on an area has the code of its language within
OWN, IN_ENGLISH, REST = "language of the question", "en", "others"
AREAS = ("#009E73", "#CC79A7", "#56B4E9", "#D55E00")
HATCHES = ("..", "xx", "\\\\", "++")


def heat_map(rows: Sequence[Row], split: str, path: Path, seen: Sequence[str] = ()) -> None:
    """Accuracy, fidelity, and right and in language of every method (down) in every language (across), and the averages at
    the right; of one method the metrics one below the other. Languages `seen` in training are marked *."""
    of_split = [row for row in rows if row.split == split]
    codes = sorted({row.domain for row in of_split if row.domain in LANGUAGES})
    averages = [name for name in (NON_ENGLISH, ALL) if any(row.domain == name for row in of_split)]
    columns = [*codes, *averages]
    methods = list(dict.fromkeys(row.method for row in of_split))
    values = {(row.method, row.domain): row.values for row in of_split}

    def numbers(method: str, metric: str) -> list[float]:
        there = (values.get((method, name), {}).get(metric) for name in columns)
        return [value.value if value is not None else float("nan") for value in there]

    names = [*(f"{code}*" if code in seen else code for code in codes), *averages]
    if len(methods) == 1:
        panels = [(label(methods[0]), list(MAPPED), [numbers(methods[0], metric) for metric in MAPPED])]
    else:
        panels = [(metric, [label(m) for m in methods], [numbers(m, metric) for m in methods]) for metric in MAPPED]
    width = max(5.0, 2.2 + 0.55 * len(columns))
    figure, axes = canvas(len(panels), 1, width=width, height=len(panels) * (0.7 + 0.34 * len(panels[0][1])))
    for axis, (title, labels, matrix) in zip(axes, panels, strict=True):
        axis.imshow(matrix, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for down, line in enumerate(matrix):
            for across, value in enumerate(line):
                if isfinite(value):
                    tone = "white" if value < 0.5 else "black"
                    axis.text(across, down, f"{value:.2f}", ha="center", va="center", color=tone, fontsize=9)
        if averages:
            axis.axvline(len(codes) - 0.5, color="white", linewidth=4)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(range(len(columns)), names)
        axis.set_yticks(range(len(labels)), labels)
        axis.tick_params(length=0)
    save(figure, path)


def training_by_language(curves: Curves, path: Path) -> None:
    """Accuracy, fidelity and alignment factor by step, a row of panels for each language of the questions: means over
    seeds; the first two are means over five steps."""
    codes = languages_of(curves)
    figure, axes = canvas(len(codes), 3, width=11.0, height=1.0 + 1.7 * len(codes), share=True)
    for place, axis in enumerate(axes):
        code, metric = codes[place // 3], OVER_TRAINING[place % 3]
        for method, seeds in curves.items():
            steps, values = _mean(seeds, f"{metric}/{code}", metric != "alignment_factor")
            if steps:
                axis.plot(steps, values, **line_of(method, list(curves), len(steps)), label=label(method))
        if metric != "alignment_factor":
            axis.set_ylim(-0.03, 1.03)
        if place < 3:
            axis.set_title(metric.replace("_", " "), fontsize=10)
        if place % 3 == 0:
            axis.set_ylabel(code)
        axis.grid(alpha=0.25)
    for axis in axes[-3:]:
        axis.set_xlabel("GRPO step")
    _legend_below(figure, axes[0])
    save(figure, path)


def languages_of(curves: Curves) -> list[str]:
    """The languages of which the curves tell the fidelity."""
    keys = {key for seeds in curves.values() for lines in seeds for line in lines for key in line}
    return [code for code in LANGUAGES if f"fidelity/{code}" in keys]


def groups(curves: Curves, path: Path) -> None:
    """The share of groups whose advantages the language term changes, and of those whose advantages are all equal, by step:
    means over seeds and five steps."""
    figure, axes = canvas(1, 2, width=11.0, height=3.6)
    for axis, (metric, title) in zip(axes, GROUPS.items(), strict=True):
        for method, seeds in curves.items():
            steps, values = _mean(seeds, metric, True)
            if steps:
                axis.plot(steps, values, **line_of(method, list(curves), len(steps)), label=label(method))
        axis.set(title=title, xlabel="GRPO step", ylim=(-0.03, 1.03))
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("share of groups")
    _legend_below(figure, axes[0])
    save(figure, path)


def have_groups(curves: Curves) -> bool:
    """Whether the metrics tell of groups; those of earlier versions do not."""
    return any(
        metric in line for metric in GROUPS for seeds in curves.values() for lines in seeds for line in lines[:1]
    )


def flow(of_method: Flow, title: str, path: Path) -> None:
    """The shares of rollouts by detected language over training, a panel for each language of the question: at the bottom that
    language, above it English, other languages, and what could not be told."""
    codes = list(of_method.shares)
    across = min(4, len(codes))
    figure, axes = canvas(
        ceil(len(codes) / across), across, width=max(5.0, 2.9 * across), height=0.9 + 2.3 * ceil(len(codes) / across)
    )
    total: dict[str, float] = {}
    for code, shares in of_method.shares.items():
        for detected, line in shares.items():
            if detected not in (code, ENGLISH, UNKNOWN):
                total[detected] = total.get(detected, 0.0) + sum(line)
    named = sorted(total, key=lambda name: -total[name])[:OTHERS]
    drawn: dict[str, Any] = {}
    for axis in axes[len(codes) :]:
        axis.set_axis_off()
    for code, axis in zip(codes, axes, strict=False):
        steps, shares = of_method.steps[code], of_method.shares[code]
        rest = [detected for detected in shares if detected not in (code, ENGLISH, UNKNOWN, *named)]
        members = {OWN: [code], IN_ENGLISH: [ENGLISH] if code != ENGLISH else []}
        members |= {detected: [detected] for detected in named if detected != code}
        members |= {REST: rest, UNKNOWN: [UNKNOWN]}
        floor = np.zeros(len(steps))
        for name, those in members.items():
            height = np.sum([shares[detected] for detected in those if detected in shares], axis=0)
            if not np.any(height):
                continue
            top = floor + height
            style = _area(name, named)
            if len(steps) == 1:
                drawn[name] = axis.bar(steps, height, bottom=floor, width=0.8, **style)
            else:
                drawn[name] = axis.fill_between(steps, floor, top, **style)
            widest = int(np.argmax(height))
            if height[widest] >= LABELLED and name not in (UNKNOWN, REST):
                centre = (
                    len(steps) // 2
                )  # where an area is wide enough, and else where it is widest, away from the edges
                edge = len(steps) // 12
                widest = centre if height[centre] >= LABELLED else min(max(widest, edge), len(steps) - 1 - edge)
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
                middle = (floor[widest] + top[widest]) / 2
                axis.text(steps[widest], middle, those[0], ha="center", va="center", fontsize=8, bbox=box)
            floor = top
        axis.set(ylim=(0, 1), xlim=(min(steps), max(steps)) if len(steps) > 1 else None)
        axis.set_title(f"asked in {code}", fontsize=10)
    for axis in axes[::across]:
        axis.set_ylabel("share of rollouts")
    for axis in axes[max(0, len(codes) - across) : len(codes)]:
        axis.set_xlabel("GRPO step")
    order = [name for name in (OWN, IN_ENGLISH, *named, REST, UNKNOWN) if name in drawn]
    figure.legend(
        [drawn[name] for name in order], order, fontsize=8, loc="outside lower center", ncols=min(5, len(order))
    )
    figure.suptitle(title, fontsize=11)
    save(figure, path)


def _area(name: str, named: Sequence[str]) -> dict[str, Any]:
    """Colour and hatch of an area; a language that is neither the question's nor English keeps its own in all panels."""
    plain = {OWN: ("#0072B2", ""), IN_ENGLISH: ("#E69F00", "//"), REST: ("#999999", "oo"), UNKNOWN: ("#eeeeee", "")}
    if name in plain:
        tone, hatch = plain[name]
    else:
        tone, hatch = AREAS[named.index(name)], HATCHES[named.index(name)]
    return {"facecolor": tone, "hatch": hatch, "edgecolor": "#222222", "linewidth": 0.4}


def _mean(seeds: Sequence[Sequence[Mapping[str, Any]]], name: str, smooth: bool) -> tuple[list[int], list[float]]:
    """The steps at which any seed has a value, and the mean of those that do, over a few steps where it is to be `smooth`."""
    lines = [{line["step"]: float(line[name]) for line in seed if line.get(name) is not None} for seed in seeds]
    steps = sorted({step for line in lines for step in line})
    means = [float(np.mean([line[step] for line in lines if step in line])) for step in steps]
    if smooth and len(means) >= SMOOTHED:
        half = SMOOTHED // 2
        means = [float(np.mean(means[max(0, at - half) : at + half + 1])) for at in range(len(means))]
    return steps, means


def _legend_below(figure: Any, axis: Any) -> None:
    handles = axis.get_legend_handles_labels()
    if handles[0]:
        figure.legend(*handles, fontsize=8, loc="outside lower center", ncols=min(5, len(handles[0])))
