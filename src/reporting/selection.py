"""Selectors side by side, at equal numbers of samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from src.analysis.domains import domains_of
from src.analysis.selection import COLUMNS, POOLS, selected
from src.analysis.statistics import Cells, differences, estimate, macro, resampled
from src.common.errors import UserError
from src.common.tables import Table
from src.reporting.page import Section
from src.selectors.base import Selector
from src.store.directory import Run
from src.store.records import seen_of

PIVOT = "en"
ONE = "one sample"
HEAD = ("domain", "samples", "from", "selector", "accuracy", f"minus {ONE}", "right and in language", "no answer")


def side_by_side(
    frames: Mapping[int, Any],
    split: str,
    selectors: Mapping[str, Selector],
    counts: Sequence[int],
    pivot: str,
    domains: Mapping[str, Sequence[str]],
    part_weights: Mapping[str, float] | None = None,
) -> Table:
    """A row for each number of samples, pool and selector, in every one of the `domains` of languages. Differences are to one sample in the
    language of the query, on the same seeds and problems; pools for which there are too few samples are left out.
    In averages a part weighs `part_weights[part]`, as in the report's other tables."""
    alone = selected(frames, split, None, "own", 1, pivot, part_weights)
    made: list[tuple[int, str, str, Cells]] = [] if alone is None else [(1, "own", ONE, alone)]
    for count in counts:
        for kind in POOLS:
            for name, selector in selectors.items():
                cells = selected(frames, split, selector, kind, count, pivot, part_weights)
                made += [] if cells is None else [(count, kind, name, cells)]
    rows = []
    for domain, languages in domains.items():
        for count, kind, name, cells in made:
            if set(languages) & set(cells.languages):
                minus = "" if alone is None or cells is alone else _difference(cells, alone, languages)
                values = [_text(cells, metric, languages) for metric in ("accuracy", "right and in language")]
                missing = 1 - float(macro(cells, "answered", languages, resampled(cells, 0))[0])
                rows.append((domain, str(count), kind, name, values[0], minus, values[1], f"{missing:.3f}"))
    return Table(HEAD, rows)


def counts_of(frames: Iterable[Any], split: str) -> list[int]:
    """Numbers of samples to select from: the fewest that a question has, and one in each language of a problem.

    Raises:
        UserError: there is nothing of the split.
    """
    fewest, languages = [], []
    for frame in frames:
        rows = frame[frame["split"] == split]
        if rows.empty:
            raise UserError(f"records must hold the split {split!r}; here are none of it. Evaluate it, or give --split")
        fewest.append(int(rows.groupby(["problem", "language"]).size().min()))
        languages.append(int(rows.groupby("problem")["language"].nunique().min()))
    return sorted({min(fewest), min(languages)})


def selected_sections(
    runs: Sequence[Run], splits: Sequence[str], selectors: Mapping[str, Selector], part_weights: Mapping[str, float]
) -> list[Section]:
    """A section for each split that has several samples of a problem, or several languages."""
    import pandas

    frames = {run.seed: pandas.read_parquet(run.records) for run in runs}
    languages = {code for frame in frames.values() for code in frame["language"].unique()}
    domains = domains_of([seen_of(run.records for run in runs)], languages)
    sections = []
    for split in splits:
        counts = counts_of(frames.values(), split)
        if max(counts) > 1 and all(set(COLUMNS) <= set(frame) for frame in frames.values()):
            table = side_by_side(frames, split, selectors, counts, PIVOT, domains, part_weights)
            words = "One answer chosen from so many samples: of the query's language, half the pivot's, or all languages in turn."
            sections.append(Section(f"Selected answers, {split}", words, table))
    return sections


def name_of(selector: Selector) -> str:
    """The module of a selector."""
    return type(selector).__module__.rpartition(".")[2]


def _text(cells: Cells, metric: str, languages: Sequence[str]) -> str:
    return estimate(macro(cells, metric, languages, resampled(cells))).text()


def _difference(cells: Cells, other: Cells, languages: Sequence[str]) -> str:
    d = differences(cells, other, "accuracy", languages)
    return f"{d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
