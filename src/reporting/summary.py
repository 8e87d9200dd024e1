"""What a report comes to, in ten lines of 80 columns: the headline table and the paired differences in a sentence."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import isfinite

from src.analysis.domains import ALL, NON_ENGLISH, domains_of
from src.analysis.statistics import Cells, differences, p_text, p_value
from src.common.tables import Table
from src.common.visible import visible
from src.reporting.paired import signed
from src.reporting.tables import Row, label

WIDTH = 80
METHODS = 7  # more do not fit: the best ones are shown
NOTES = 3
HEADLINE = "right and in language"


def summary(
    title: str,
    rows: Sequence[Row],
    data: Mapping[tuple[str, str], Cells],
    split: str,
    compared: str | None,
    notes: Sequence[str] = (),
) -> str:
    """The text. `rows` are those of the report, of which the averages over all languages on `split`, and over all but English,
    are shown; `compared` is the method that the others are set against, or None; `notes` what evaluations left for the reader.
    """
    chosen = [row for row in rows if (row.split, row.domain) == (split, ALL)]
    non_english = {row.method: row for row in rows if (row.split, row.domain) == (split, NON_ENGLISH)}
    ordered = best_first(chosen)
    shown = {*ordered[:METHODS], compared}
    lines = [_cut(line) for line in _title(title, data, split)]
    lines += headline([row for row in chosen if row.method in shown], non_english).text(right=True).splitlines()
    if len(ordered) > METHODS:
        lines.append(f"{len(ordered) - len([row for row in chosen if row.method in shown])} more methods in the table")
    if compared is not None and len(chosen) > 1:
        lines += sentence(data, split, compared, ordered)
    for note in notes[:NOTES]:
        lines += textwrap.wrap(f"note: {visible(note)}", WIDTH)
    if len(notes) > NOTES:
        lines.append(f"{len(notes) - NOTES} more notes in the table")
    return "\n".join(lines) + "\n"


def best_first(rows: Sequence[Row]) -> list[str]:
    """The methods of the rows by correct and in language."""
    return [row.method for row in sorted(rows, key=lambda row: -_rank(row))]


def headline(rows: Sequence[Row], non_english: Mapping[str, Row] | None = None) -> Table:
    """Method, accuracy, share in the language of the question, and share right and in language with its interval; beside it
    that over all but English, where there are rows of it by method."""
    lines = []
    for row in rows:
        value = row.values[HEADLINE]
        interval = f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]" if isfinite(value.value) else "-"
        of_it = (
            [_number(non_english[row.method], HEADLINE) if row.method in non_english else "-"] if non_english else []
        )
        lines.append((label(row.method)[:24], _number(row, "accuracy"), _number(row, "fidelity"), interval, *of_it))
    head = ("method", "accuracy", "in language", "correct and in language", *([NON_ENGLISH] if non_english else []))
    return Table(head, lines)


def sentence(data: Mapping[tuple[str, str], Cells], split: str, compared: str, methods: Sequence[str]) -> list[str]:
    """The paired difference of `compared` to the best of the other `methods`, which are in order, its p value, and the
    difference without English."""
    other = next(method for method in methods if method != compared)
    one, two = data[compared, split], data[other, split]
    languages = [code for code in one.languages if code in two.languages]
    difference = differences(one, two, HEADLINE, languages)
    if not isfinite(difference.value):
        return []
    p = p_value(one, two, HEADLINE, languages)
    verdict = "no difference shown" if difference.low <= 0 <= difference.high else _direction(difference.value)
    numbers = f"{signed(difference)}, {p_text(p)}"
    if NON_ENGLISH in (domains := domains_of([], languages)):
        numbers += f"; {NON_ENGLISH} {signed(differences(one, two, HEADLINE, domains[NON_ENGLISH]))}"
    words = f"{label(compared)} against {label(other)}, correct and in language: {verdict},"
    return [*textwrap.wrap(words, WIDTH), *textwrap.wrap(numbers, WIDTH)]


def _direction(value: float) -> str:
    return "higher" if value > 0 else "lower"


def _title(title: str, data: Mapping[tuple[str, str], Cells], split: str) -> list[str]:
    """In one line where it fits."""
    first = next(cells for (_, where), cells in data.items() if where == split)
    seeds = f"{len(first.seeds)} seed{'s' * (len(first.seeds) > 1)}"
    about = f"{split}, {len(first.problems)} problems x {len(first.languages)} languages, {seeds}"
    together = f"{title}: {about}"
    return [together] if len(together) <= WIDTH else [title, about]


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."


def _rank(row: Row) -> float:
    value = row.values[HEADLINE].value
    return value if isfinite(value) else -1.0


def _number(row: Row, metric: str) -> str:
    value = row.values[metric].value
    return f"{value:.3f}" if isfinite(value) else "-"
