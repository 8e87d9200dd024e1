"""Which groups feel the language term under which normaliser: a picture drawn from `advantages` itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.algorithm.spec import AdvantageSpec, TermSpec
from src.reporting.figures import canvas, save

QUERY = "fr"
OTHER = "en"
WEIGHED = TermSpec("multiply")

# Rows: what is written beside them, and the settings.
NORMALISERS = {
    "std\n(adamame)": AdvantageSpec("std", alignment=WEIGHED),
    "mean only\n(adamame_mean)": AdvantageSpec("mean", alignment=WEIGHED),
    "leave one out": AdvantageSpec("leave_one_out", alignment=WEIGHED),
    "std, by language\n(strat)": AdvantageSpec("std", within="language", alignment=WEIGHED),
    "each reward by\nitself (tworwd)": AdvantageSpec("std", alignment=TermSpec("add", "advantage", normalise=True)),
}


@dataclass(frozen=True)
class Kind:
    """Rollouts that a group cannot tell apart, and how their line looks."""

    name: str
    right: bool
    matched: bool
    line: dict[str, Any] = field(compare=False, hash=False)


# Warm in the language of the query, cool in another; solid right, dashed wrong. Lines may lie on each other: the right
# ones are drawn thick below thin, the dashes of the wrong ones fall into each other's gaps.
KINDS = (
    Kind("right, other", True, False, {"color": "#0072B2", "linewidth": 3.4}),
    Kind("right, in", True, True, {"color": "#D55E00", "linewidth": 1.8}),
    Kind("wrong, other", False, False, {"color": "#56B4E9", "linewidth": 2.0, "linestyle": (0, (2, 2))}),
    Kind("wrong, in", False, True, {"color": "#E69F00", "linewidth": 2.0, "linestyle": (2, (2, 2))}),
)
# Columns: how many rollouts of each kind.
GROUPS = (
    {"right, in": 4, "right, other": 4},
    {"right, in": 8},
    {"right, in": 4, "wrong, other": 4},
    {"right, in": 3, "right, other": 3, "wrong, in": 1, "wrong, other": 1},
    {"right, in": 1, "right, other": 1, "wrong, in": 3, "wrong, other": 3},
    {"wrong, in": 4, "wrong, other": 4},
)
FACTORS = (0.0, 0.02, *(step / 10 for step in range(1, 41)))  # B g
# What a panel says in a word, and its background.
NOTHING = "nothing"
AT_ONCE = "at once"
GROWS = "grows"
SHADES = {NOTHING: "#e9e9e9", AT_ONCE: "#fff3c4", GROWS: "#ffffff"}


def by_kind(spec: AdvantageSpec, group: dict[str, int], factor: float) -> dict[str, float]:
    """The advantage of each kind of rollouts of `group` for B g = `factor`, without exploration."""
    from src.algorithm.advantages import advantages

    members = [kind for kind in KINDS for _ in range(group.get(kind.name, 0))]
    n = len(members)
    result = advantages(
        spec,
        rewards=[float(kind.right) for kind in members],
        reasoning=[QUERY if kind.matched else OTHER for kind in members],
        query=[QUERY] * n,
        groups=[0] * n,
        factor=factor,
        exploration=0.0,
    )
    return dict(zip((kind.name for kind in members), result.advantage.tolist(), strict=True))


def verdict(spec: AdvantageSpec, group: dict[str, int]) -> str:
    """What the language term changes: `nothing`; as much at B g = 0.1 as at 4 (`at once`); or more and more."""
    without, small, large = (by_kind(spec, group, factor) for factor in (0.0, 0.1, 4.0))
    early = max(abs(small[name] - without[name]) for name in without)
    late = max(abs(large[name] - without[name]) for name in without)
    if late < 1e-3:
        return NOTHING
    return AT_ONCE if early > 0.9 * late else GROWS


def draw(path: Path) -> None:
    """Small multiples: normalisers by kinds of groups, advantage against B g."""
    columns = len(GROUPS)
    figure, axes = canvas(len(NORMALISERS), columns, width=10.5, height=8.2, share=True, share_y=True)
    for place, (name, spec) in enumerate(NORMALISERS.items()):
        row = axes[place * columns : (place + 1) * columns]
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
        for axis, group in zip(row, GROUPS, strict=True):
            _panel(axis, spec, group)
    for axis, group in zip(axes[:columns], GROUPS, strict=True):
        _heading(axis, group)
    axes[0].set(xticks=range(5), yticks=(-4, -2, 0, 2, 4), xlim=(-0.15, 4.15), ylim=(-5.9, 7.4))
    figure.supxlabel("B g, offered for the language of the query (in); dot: without the language term", fontsize=11)
    figure.suptitle("Advantages in groups of 8: what the language term changes", fontsize=13)
    save(figure, path, vector=False)


def _panel(axis: Any, spec: AdvantageSpec, group: dict[str, int]) -> None:
    values = [by_kind(spec, group, factor) for factor in FACTORS]
    axis.axhline(0, color="#999999", linewidth=0.6, zorder=1)
    for kind in KINDS:
        if kind.name in group:
            heights = [value[kind.name] for value in values]
            axis.plot(FACTORS[1:], heights[1:], **kind.line, zorder=2)
            axis.plot(FACTORS[:1], heights[:1], "o", color=kind.line["color"], markersize=4, zorder=3)
    word = verdict(spec, group)
    axis.set_facecolor(SHADES[word])
    axis.text(0.04, 0.96, word, transform=axis.transAxes, ha="left", va="top", fontsize=10, color="#444444")
    axis.tick_params(labelsize=9, length=2)
    axis.spines[["top", "right"]].set_visible(False)


def _heading(axis: Any, group: dict[str, int]) -> None:
    """What the group is made of, each part in the colour of its line."""
    order: Sequence[Kind] = sorted((kind for kind in KINDS if kind.name in group), key=lambda k: (k.right, k.matched))
    for place, kind in enumerate(order):
        axis.annotate(
            f"{group[kind.name]} {kind.name}",
            (0.5, 1),
            (0, 4 + 13 * place),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=10.5,
            fontweight="bold",
            color=kind.line["color"],
        )
