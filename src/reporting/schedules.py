"""Pictures of schedules: that of one run before it begins, and all of them side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.algorithm.schedules.base import Controller, CurveController, Schedule
from src.algorithm.spec import AdvantageSpec
from src.reporting.figures import COLOURS, SPARE, canvas, save

TONES = (COLOURS["adamame_grpo"], COLOURS["grpo"], SPARE[0], COLOURS["adamame_mean"], COLOURS["additive"], SPARE[1])
GREY = "#777777"
PROGRESS = [i / 1000 for i in range(1001)]
COLUMNS = 5
MARGIN = 0.04  # above and below the values, so that a line at an end of the scale is seen


def preview(schedule: Schedule, objective: AdvantageSpec, title: str, steps: int, path: Path) -> None:
    """The factor over training (also in `steps`), a curve for each language with settings of its own, as a PNG."""
    figure, (axis,) = canvas(1, 1, width=7.5, height=4.4)
    curves = apart(schedule)
    right = _frame(axis, max(own.maximum for own in curves.values()), parts=4)
    for place, (name, own) in enumerate(curves.items()):
        tone = TONES[place % len(TONES)]
        _draw(axis, right, own, tone, tone, name)
    for line in axis.get_lines()[:1] if len(curves) > 1 else ():
        line.set_linewidth(4)  # seen below the others where they meet
    axis.set(xlabel="progress t / T", ylabel="alignment factor B g" + _unless(objective.alignment.form))
    right.set_ylabel("exploration d (dashed)" + _unless(objective.diversity.form), color=GREY)
    above = axis.secondary_xaxis("top", functions=(lambda t: t * steps, lambda step: step / steps))
    above.set_xlabel("GRPO step")
    if not _known(schedule):
        right.set_axis_off()
        _note(axis, "the factor follows the rollouts,\nwithin the range shown", size=11)
    figure.suptitle(title)
    figure.legend(*axis.get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=4)
    save(figure, path, vector=False)


def overview(schedules: Mapping[str, Schedule], path: Path) -> None:
    """A small picture for each schedule under its name, as a PNG."""
    rows = -(-len(schedules) // COLUMNS)
    figure, axes = canvas(rows, COLUMNS, width=2.4 * COLUMNS, height=2.0 * rows + 0.5)
    legend: dict[str, Any] = {}
    for place, (axis, (name, schedule)) in enumerate(zip(axes, schedules.items(), strict=False)):
        right = _frame(axis, schedule.maximum, parts=2)
        label = "alignment factor B g (left axis)" if _known(schedule) else "range of a factor that follows rollouts"
        _draw(axis, right, schedule, TONES[0], GREY, label)
        for part in (axis, right):
            legend |= {text: handle for handle, text in zip(*part.get_legend_handles_labels(), strict=True)}
        axis.set_title(name, fontsize=10)
        axis.tick_params(labelsize=8)
        right.tick_params(labelsize=8)
        if not _known(schedule):
            right.set_axis_off()
            _note(axis, "follows the\nrollouts", size=8)
        if place // COLUMNS == rows - 1:
            axis.set_xlabel("progress t / T", fontsize=8)
    for axis in axes[len(schedules) :]:
        axis.set_axis_off()
    figure.legend(legend.values(), legend.keys(), fontsize=9, loc="outside lower center", ncols=3)
    save(figure, path, vector=False)


def apart(schedule: Schedule) -> dict[str, Schedule]:
    """Label -> schedule: that of every language, then each other one under the languages that follow it."""
    schedules = [dataclasses.replace(schedule, per_language={})]
    codes: list[list[str]] = [[]]
    for code in schedule.per_language:
        own = dataclasses.replace(schedule.of(code), per_language={})
        if own not in schedules:
            schedules.append(own)
            codes.append([])
        codes[schedules.index(own)].append(code)
    every = "every other language" if len(schedules) > 1 else "every language"
    return dict(zip([every, *map(", ".join, codes[1:])], schedules, strict=True))


def _known(schedule: Schedule) -> bool:
    """Whether the factor is a function of progress alone."""
    return isinstance(schedule.start(), CurveController)


def _frame(axis: Any, maximum: float, parts: int) -> Any:
    """Axes from 0 to 1 and from 0 to `maximum` with `parts` steps; returns the right one, for the exploration."""
    top = maximum or 1.0
    shares = [part / parts for part in range(parts + 1)]
    right = axis.twinx()
    axis.set(xlim=(0, 1), ylim=(-MARGIN * top, (1 + MARGIN) * top), xticks=shares, yticks=[top * s for s in shares])
    right.set(ylim=(-MARGIN, 1 + MARGIN), yticks=shares)
    right.tick_params(colors=GREY)
    axis.set_zorder(right.get_zorder() + 1)  # the factor above the exploration
    axis.patch.set_visible(False)
    for scale in (axis.xaxis, axis.yaxis, right.yaxis):
        scale.set_major_formatter(lambda value, _: f"{value:g}")
    axis.grid(alpha=0.25)
    return right


def _draw(axis: Any, right: Any, schedule: Schedule, tone: str, dashes: str, name: str) -> None:
    """The factor as a line and the exploration dashed; of a controller the range in which the factor lies."""
    controller: Controller = schedule.start()
    if _known(schedule):
        factor = [controller.factor(t, "") for t in PROGRESS]
        axis.plot(PROGRESS, factor, color=tone, label=name, linewidth=2, zorder=3)
        exploration = [controller.exploration(t, "") for t in PROGRESS]
        right.plot(
            PROGRESS,
            exploration,
            color=dashes,
            alpha=0.7,
            linestyle="--",
            linewidth=1.2,
            label="exploration d (right axis)",
        )
    else:
        highest = [schedule.maximum for _ in PROGRESS]
        axis.fill_between(PROGRESS, highest, facecolor=(tone, 0.15), edgecolor=tone, linewidth=1.5, label=name)


def _unless(form: str) -> str:
    return "\n(not used by this objective)" if form == "none" else ""


def _note(axis: Any, text: str, size: int) -> None:
    paper = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none"}
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", fontsize=size, bbox=paper)
