"""Pictures: accuracy against fidelity, both by language, and how training went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from src.analysis.domains import ALL, DOMAINS, SEEN, UNSEEN
from src.analysis.pareto import front
from src.analysis.statistics import Cells, macro, resampled
from src.reporting.tables import Row, label

# Okabe-Ito colours, told apart with any colour vision; a method keeps its colour in every picture.
COLOURS = {
    "base": "#999999",
    "sft": "#000000",
    "grpo": "#0072B2",
    "additive": "#E69F00",
    "adamame_grpo": "#D55E00",
    "adamame_mean": "#CC79A7",
}
SPARE = ("#009E73", "#56B4E9", "#F0E442", "#8C564B", "#7F3C8D", "#17BECF", "#B2182B", "#1B7837", "#5F6B6D", "#E377C2")
SPARE_MARKERS = "v<>dXhp8HP"
MANY = 6  # methods; with more, the legend stands below, bands are left out, and `arms` tells more than the others
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo")
MARKERS = {"base": "s", "sft": "D", "grpo": "o", "additive": "^", "adamame_grpo": "*", "adamame_mean": "P"}


def colour(method: str, methods: Sequence[str]) -> str:
    others = [name for name in methods if name not in COLOURS]
    return COLOURS.get(method) or SPARE[others.index(method) % len(SPARE)]


def dash(method: str, methods: Sequence[str]) -> str:
    """The line of a method: broken where its colour is another's already."""
    others = [name for name in methods if name not in COLOURS]
    return "--" if method in others[len(SPARE) :] else "-"


def marker(method: str, methods: Sequence[str]) -> str:
    """Of points and lines, so that methods can be told apart in grey, too."""
    others = [name for name in methods if name not in MARKERS]
    return MARKERS.get(method) or SPARE_MARKERS[others.index(method) % len(SPARE_MARKERS)]


def hatch(method: str, methods: Sequence[str]) -> str:
    """Of the bars of a method, for the same reason."""
    return HATCHES[methods.index(method) % len(HATCHES)]


def line_of(method: str, methods: Sequence[str], points: int) -> dict[str, Any]:
    """How the line of a method with so many points is drawn: in its colour, with its marker here and there."""
    every = max(1, points // 8)
    return {
        "color": colour(method, methods),
        "linestyle": dash(method, methods),
        "marker": marker(method, methods),
        "markevery": (methods.index(method) % every, every),
        "markersize": 5,
        "linewidth": 1.3,
    }


def _legend(figure: Any, axis: Any, count: int, place: str) -> None:
    """Within `axis`, or below all where there are many methods."""
    if count > MANY:
        figure.legend(*axis.get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=5)
    else:
        axis.legend(fontsize=8, loc=place)


def pareto(rows: Sequence[Row], split: str, path: Path) -> None:
    """Accuracy against fidelity with their intervals, a panel for each domain, two in a row where there are four; the
    undominated points are joined."""
    domains = [domain for domain in DOMAINS if any(row.domain == domain and row.split == split for row in rows)]
    down, across = (2, 2) if len(domains) == 4 else (1, len(domains))
    figure, axes = canvas(down, across, width=4.2 * across, height=4.0 * down)
    methods = list(dict.fromkeys(row.method for row in rows))
    for axis, domain in zip(axes, domains, strict=True):
        chosen = [row for row in rows if (row.split, row.domain) == (split, domain)]
        points = [(row.values["fidelity"].value, row.values["accuracy"].value) for row in chosen]
        edge = sorted(points[i] for i in front(points))
        axis.plot(*zip(*edge, strict=True), color="#bbbbbb", linestyle="--", zorder=1)
        for row, (x, y) in zip(chosen, points, strict=True):
            fidelity = row.values["fidelity"]
            accuracy = row.values["accuracy"]
            axis.errorbar(
                [x],
                [y],
                xerr=_bars([x], [(fidelity.low, fidelity.high)]),
                yerr=_bars([y], [(accuracy.low, accuracy.high)]),
                color=colour(row.method, methods),
                marker=marker(row.method, methods),
                markersize=13 if row.method == "adamame_grpo" else 7,
                capsize=2,
                linewidth=1,
                label=label(row.method),
            )
        axis.set(title=f"{domain} languages", xlabel="language fidelity", ylabel="accuracy", xlim=(-0.03, 1.03))
        axis.label_outer()
        axis.grid(alpha=0.25)
    _legend(figure, axes[-1], len(methods), "best")
    figure.suptitle(f"Accuracy against fidelity, {split}", fontsize=11)  # one panel has no room for more
    save(figure, path)


def per_language(data: dict[tuple[str, str], Cells], split: str, path: Path, seen: Sequence[str] = ()) -> None:
    """Fidelity and accuracy by language of the query, methods side by side; languages `seen` in training are marked *."""
    chosen = {method: cells for (method, where), cells in data.items() if where == split}
    languages = next(iter(chosen.values())).languages
    figure, axes = canvas(2, 1, width=11.0, height=5.6)
    width = 0.8 / len(chosen)
    for axis, metric in zip(axes, ("fidelity", "accuracy"), strict=True):
        for place, (method, cells) in enumerate(chosen.items()):
            over = resampled(cells, resamples=500)
            columns = [macro(cells, metric, [code], over) for code in languages]
            values = [column[0] for column in columns]
            bounds = [np.percentile(column[1:], [2.5, 97.5]).tolist() for column in columns]
            at = np.arange(len(languages)) + (place - (len(chosen) - 1) / 2) * width
            axis.bar(
                at,
                values,
                width,
                yerr=_bars(values, bounds),
                color=colour(method, list(chosen)),
                hatch=hatch(method, list(chosen)),
                edgecolor="white",
                linewidth=0.3,
                label=label(method),
                error_kw={"linewidth": 0.6},
            )
        names = [f"{code}*" if code in seen else code for code in languages]
        axis.set(ylabel=metric, ylim=(0, 1.05), xticks=np.arange(len(languages)), xticklabels=names)
        axis.grid(alpha=0.25, axis="y")
    axes[0].legend(fontsize=8, ncols=min(7, len(chosen)), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes[1].set_xlabel("language of the query" + (" (* seen in training)" if set(seen) & set(languages) else ""))
    save(figure, path)


def arms(rows: Sequence[Row], split: str, path: Path) -> None:
    """Right-and-in-language, accuracy and fidelity of many methods, one below the other, for seen and unseen languages, or
    for all where it is unknown which were seen."""
    of_split = [row for row in rows if row.split == split]
    shown = [row for row in of_split if row.domain in (SEEN, UNSEEN)]
    shown = shown or [row for row in of_split if row.domain == ALL]
    methods = list(dict.fromkeys(row.method for row in shown))
    metrics = ("right and in language", "accuracy", "fidelity")
    figure, axes = canvas(1, 3, width=11.0, height=1.3 + 0.32 * len(methods))
    for axis, metric in zip(axes, metrics, strict=True):
        for domain, tone, marker, shift in (
            (SEEN, "#0072B2", "o", -0.14),
            (UNSEEN, "#D55E00", "s", 0.14),
            (ALL, "#000000", "D", 0.0),
        ):
            chosen = [row for row in shown if row.domain == domain]
            if not chosen:
                continue
            x = [row.values[metric].value for row in chosen]
            bounds = [(row.values[metric].low, row.values[metric].high) for row in chosen]
            y = [methods.index(row.method) + shift for row in chosen]
            axis.errorbar(
                x,
                y,
                xerr=_bars(x, bounds),
                color=tone,
                marker=marker,
                markersize=4.5,
                linestyle="none",
                elinewidth=1.2,
                label=f"{domain} languages",
            )
        axis.set(title=metric, ylim=(len(methods) - 0.5, -0.5), yticks=range(len(methods)), yticklabels=[])
        axis.grid(alpha=0.25)
    axes[0].set_yticklabels([label(method) for method in methods])
    axes[-1].legend(fontsize=8, loc="best")
    figure.suptitle(f"{split}, 95 % intervals")
    save(figure, path)


def training(curves: dict[str, list[list[dict[str, Any]]]], path: Path) -> None:
    """Accuracy, fidelity and alignment factor by step: mean over seeds, band from lowest to highest seed.

    Accuracy and fidelity are smoothed over five steps.
    """
    figure, axes = canvas(3, 1, width=8.0, height=7.0, share=True)
    for axis, metric in zip(axes, ("accuracy", "fidelity", "alignment_factor"), strict=True):
        for method, seeds in curves.items():
            length = min(len(lines) for lines in seeds)
            values = np.array([[line[metric] for line in lines[:length]] for lines in seeds])
            if metric != "alignment_factor" and length >= 5:
                kernel = np.ones(5)
                norm = np.convolve(np.ones(length), kernel, mode="same")
                values = np.array([np.convolve(row, kernel, mode="same") / norm for row in values])
            steps = [line["step"] for line in seeds[0][:length]]
            tone = colour(method, list(curves))
            axis.plot(steps, values.mean(0), **line_of(method, list(curves), length), label=label(method))
            if len(values) > 1 and len(curves) <= MANY:
                axis.fill_between(steps, values.min(0), values.max(0), color=tone, alpha=0.15, linewidth=0)
        axis.set_ylabel(metric.replace("_", " "))
        axis.grid(alpha=0.25)
    # The schedules leave that corner free, the curves above do not.
    _legend(figure, axes[-1], len(curves), "upper left")
    axes[-1].set_xlabel("GRPO step")
    figure.suptitle("Training rollouts")
    save(figure, path)


def bonus(seeds: Sequence[Sequence[dict[str, Any]]], path: Path) -> None:
    """The critical bonus of each language as it was estimated, its 95 % band, and the factor that follows it; means
    over seeds. Above the bonus the language of the query pays."""
    codes = sorted({key.split("/")[1] for line in seeds[0] for key in line if key.startswith("critical_bonus/")})
    figure, axes = canvas(1, len(codes), width=2.6 * len(codes), height=2.9)
    for axis, code in zip(axes, codes, strict=True):
        length = min(len(lines) for lines in seeds)
        steps = [line["step"] for line in seeds[0][:length]]

        def mean(name: str, code: str = code, length: int = length) -> Any:
            nothing = float("nan")
            values = np.array([[line.get(f"{name}/{code}", nothing) for line in lines[:length]] for lines in seeds])
            known = ~np.isnan(values)
            return np.where(known, values, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)

        middle = mean("critical_bonus")
        error = mean("critical_bonus_error")
        axis.fill_between(steps, middle - 1.96 * error, middle + 1.96 * error, color="#0072B2", alpha=0.2, linewidth=0)
        axis.plot(steps, middle, color="#0072B2", label="critical bonus B*")
        axis.plot(steps, mean("alignment_factor"), color="#D55E00", label="alignment factor")
        axis.plot(steps, mean("fidelity"), color="#999999", linewidth=0.8, label="fidelity of the rollouts")
        axis.set(title=code, xlabel="GRPO step")
        axis.axhline(0, color="black", linewidth=0.5)
        axis.grid(alpha=0.25)
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=3)
    save(figure, path)


def _bars(values: Sequence[float], bounds: Sequence[Sequence[float]]) -> Any:
    """Lengths below and above each value, [2, values]; rounding must not make one negative, matplotlib refuses it."""
    around = np.array(bounds, dtype=float).T
    return np.maximum([values - around[0], around[1] - values], 0).tolist()  # arrays of one column upset matplotlib


def canvas(
    rows: int, columns: int, width: float, height: float, share: bool = False, share_y: bool = False
) -> tuple[Any, list[Any]]:
    """An empty figure of `width` x `height` inches and its axes, row by row; no display is needed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=share, sharey=share_y)
    return figure, list(axes.flatten())


def save(figure: Any, path: Path, vector: bool = True) -> None:
    """The picture for pages, and beside it an SVG for papers where `vector` asks for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    if vector:
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
