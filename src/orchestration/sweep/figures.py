"""Pictures of a search: values over time, parallel coordinates, importance of settings, and the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from src.analysis import pareto
from src.orchestration.sweep.file import Sweep
from src.orchestration.sweep.parameter import Parameter
from src.reporting.figures import canvas, save

if TYPE_CHECKING:
    from src.orchestration.sweep.results import Row

MAP = "viridis"
GOOD_IS_DARK = "viridis_r"
TONE = "#0072B2"
EDGE = "#D55E00"


def history(sweep: Sweep, rows: Sequence[Row], path: Path) -> None:
    """The value of each trial in the order of asking, and the best so far of those that were not stopped."""
    figure, (axis,) = canvas(1, 1, width=7.0, height=3.4)
    ordered = sorted(rows, key=lambda row: row.trial.number)
    numbers = [row.trial.number for row in ordered]
    values = [row.value for row in ordered]
    ends = [float("nan") if row.trial.stopped_at else row.value for row in ordered]
    best = np.fmax.accumulate(ends) if sweep.goal == "maximize" else np.fmin.accumulate(ends)
    for stopped, marker in ((False, "o"), (True, "x")):
        chosen = [k for k, row in enumerate(ordered) if bool(row.trial.stopped_at) is stopped]
        if chosen:
            name = "stopped early" if stopped else "finished"
            axis.plot(
                [numbers[k] for k in chosen], [values[k] for k in chosen], marker, color=TONE, markersize=5, label=name
            )
    axis.step(numbers, best, where="post", color=EDGE, label="best so far")
    axis.set(xlabel="trial", ylabel=sweep.metric)
    axis.grid(alpha=0.25)
    axis.legend(fontsize=8)
    save(figure, path)


def parallel(sweep: Sweep, rows: Sequence[Row], path: Path) -> None:
    """An axis for each setting and one for the value, a line for each trial; good ones lie on top."""
    import matplotlib

    axes_of = [p for p in sweep.parameters if len(p.options) != 1]
    figure, (axis,) = canvas(1, 1, width=max(6.0, 1.25 * (len(axes_of) + 1)), height=4.6)
    values = np.array([row.value for row in rows])
    low = float(values.min())
    high = float(values.max())
    colour = matplotlib.colormaps[GOOD_IS_DARK]
    sign = 1.0 if sweep.goal == "maximize" else -1.0
    for row in sorted(rows, key=lambda row: sign * row.value):
        share = (row.value - low) / (high - low) if high > low else 1.0
        heights = [_height(p, row.trial.point[p.name]) for p in axes_of] + [share]
        good = share if sweep.goal == "maximize" else 1.0 - share
        width = 0.5 if row.trial.stopped_at else 1.2
        axis.plot(range(len(heights)), heights, color=colour(good), linewidth=width, alpha=0.35 + 0.65 * good)
    for place, parameter in enumerate(axes_of):
        axis.axvline(place, color="black", linewidth=0.6)
        for height, text in _ticks(parameter):
            axis.text(
                place + 0.04, height, text, fontsize=7, va="center", bbox={"color": "white", "alpha": 0.7, "pad": 0.5}
            )
    axis.axvline(len(axes_of), color="black", linewidth=0.6)
    for share in (0.0, 0.5, 1.0):
        axis.text(len(axes_of) + 0.04, share, f"{low + share * (high - low):.3g}", fontsize=7, va="center")
    names = [p.name.removeprefix("schedule.per_language.") for p in axes_of] + [sweep.metric]
    axis.set(xticks=range(len(names)), ylim=(-0.05, 1.05), xlim=(-0.2, len(names) - 0.3), yticks=[])
    axis.set_xticklabels(names, rotation=25, ha="right", fontsize=8)
    for side in axis.spines.values():
        side.set_visible(False)
    save(figure, path)


def importance(shares: Mapping[str, float], path: Path) -> None:
    """A bar for each setting."""
    figure, (axis,) = canvas(1, 1, width=6.0, height=1.0 + 0.3 * len(shares))
    names = list(shares)[::-1]
    axis.barh(names, [shares[name] for name in names], color=TONE)
    axis.set(xlabel="share")
    axis.grid(alpha=0.25, axis="x")
    save(figure, path)


def front(rows: Sequence[Row], split: str, path: Path) -> None:
    """Accuracy against fidelity of the finished trials, the number of tokens as colour; nothing where they were not measured."""
    names = [f"{split}/{name}" for name in ("fidelity", "accuracy", "tokens")]
    chosen = [row for row in rows if not row.trial.stopped_at and all(name in row.results for name in names)]
    figure, (axis,) = canvas(1, 1, width=6.0, height=4.4)
    if chosen:
        x, y, tokens = (np.array([row.results[name] for row in chosen]) for name in names)
        edge = sorted(pareto.front(list(zip(x, y, strict=True))), key=lambda k: x[k])
        axis.plot(x[edge], y[edge], "--", color=EDGE, zorder=1)
        dots = axis.scatter(x, y, c=tokens, cmap=MAP, s=28, zorder=2)
        for k in edge:
            axis.annotate(
                str(chosen[k].trial.number), (x[k], y[k]), fontsize=7, xytext=(4, 4), textcoords="offset points"
            )
        figure.colorbar(dots, label="tokens")
    axis.set(xlabel=f"language fidelity, {split}", ylabel=f"accuracy, {split}")
    axis.grid(alpha=0.25)
    save(figure, path)


def _height(parameter: Parameter, point: Any) -> float:
    """Where a point of the search space lies on the axis of a setting, in [0, 1]."""
    if parameter.options:
        return parameter.options.index(parameter.text(point)) / max(1, len(parameter.options) - 1)
    value = float(point)
    low = parameter.low
    high = parameter.high
    if parameter.logarithmic:
        value, low, high = log(value), log(low), log(high)
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _ticks(parameter: Parameter) -> list[tuple[float, str]]:
    if parameter.options:
        return [(_height(parameter, text), text) for text in parameter.options]
    middle: Any = (
        (parameter.low * parameter.high) ** 0.5 if parameter.logarithmic else (parameter.low + parameter.high) / 2
    )
    values = (parameter.low, middle, parameter.high)
    shown = [parameter.text(value) if parameter.distribution else f"{value:.3g}" for value in values]
    return [(_height(parameter, value), text) for value, text in zip(values, shown, strict=True)]
