"""Two finished runs beside each other, and their paired difference: `python -m src compare RUN_A RUN_B`.

A run is its directory, a folder of such directories called seed0, seed1, ... (all are taken), or a records.parquet.
Two single runs are a pair whatever their seeds, then called 0; else seeds of the same number are pairs.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from src.common.console import fail
from src.common.errors import UserError, did_you_mean
from src.common.tables import Table
from src.config.paths import user_path
from src.store.directory import DOMINANCE
from src.store.finished import find, frame_of, part_weights, same_gold_answers, stamps

if TYPE_CHECKING:
    from src.analysis.dominance import Dominance
    from src.analysis.statistics import Cells
    from src.reporting.paired import Line

PASS = re.compile(r"(?:pass|in-language pass|maj)@([1-9]\d*)")
SHOWN = ("accuracy", "fidelity", "right and in language", "LCPR", "code-switched", "tokens")
NOTE = (
    "A - B is paired: the same seeds, problems and languages. Interval: 95 % bootstrap over seeds and problems. "
    "p: two-sided, sign flips of problems; LCPR and following, which are no means over problems, have none."
)


def read(records: dict[int, Path], split: str, weights: dict[str, float], pass_at: Sequence[int]) -> Cells:
    """The cells of one side.

    Raises:
        UserError: a file is not one of records, or lacks the split.
    """
    from src.analysis.statistics import cells

    frames = {seed: frame_of(path) for seed, path in records.items()}
    for seed, frame in frames.items():
        splits = sorted(set(frame["split"]))
        if split not in splits:
            raise UserError(f"{records[seed]}: --split must be among {', '.join(splits)}; got {split!r}")
    return cells(frames, split, weights, pass_at)


def about(paths: Sequence[Path], sides: Sequence[Cells], both: Cells, split: str) -> list[str]:
    """What is compared, and what of it only one run has."""
    lines = [f"{name}: {path}" for name, path in zip("AB", paths, strict=True)]
    lines.append(
        f"compared: split {split}, {len(both.problems)} problems, {len(both.languages)} languages "
        f"({', '.join(both.languages)}), seeds {', '.join(map(str, both.seeds))}"
    )
    if both.part_weights:
        lines.append(
            "parts: " + ", ".join(f"{part} weighs {both.part_weights[part]:g}" for part in dict.fromkeys(both.parts))
        )
    for name, side in zip("AB", sides, strict=True):
        for kind in ("problems", "languages", "seeds"):
            only = sorted(set(getattr(side, kind)) - set(getattr(both, kind)))
            if only:
                lines.append(f"left out, only in {name}: {len(only)} {kind} ({', '.join(map(str, only[:5]))})")
    return lines


def show(notes: Sequence[str], lines: Sequence[Line]) -> None:
    """Print the table, in plain text where it is not for a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    from src.reporting.paired import HEAD

    table = RichTable(*HEAD, box=box.SIMPLE)
    for column in table.columns[2:]:
        column.justify = "right"
        column.no_wrap = True
    for place, line in enumerate(lines):
        table.add_row(*line.texts(), end_section=line.domain != lines[min(place + 1, len(lines) - 1)].domain)
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 112)
    console.print(*notes, sep="\n", soft_wrap=True)
    console.print(table)
    console.print(NOTE)


def dominated(one: Cells, other: Cells, split: str) -> Dominance | None:
    """Of A over B, by pair of language and part of the split; None where the records do not tell what follows."""
    from src.analysis.dominance import data_sets, dominance
    from src.analysis.statistics import known

    if not all("following" in known(side) for side in (one, other)):
        return None
    return dominance(data_sets({split: one}), data_sets({split: other}))


def in_words(result: Dominance) -> str:
    """The counts of dominance, in a line."""
    return (
        "; ".join(
            f"A {words} B in {count.value:.0f} [{count.low:.0f}, {count.high:.0f}]"
            for words, count in (("strictly dominates", result.won), ("is strictly dominated by", result.lost))
        )
        + f" of {len(result.pairs)} languages (parts apart), in accuracy and following both"
    )


def write(output: Path, notes: Sequence[str], lines: Sequence[Line], result: Dominance | None = None) -> None:
    """`compare.md` and `compare.csv` in `output`, and the pairs of `result` as `dominance.csv`."""
    from src.reporting.paired import HEAD

    output.mkdir(parents=True, exist_ok=True)
    table = Table(HEAD, [line.texts() for line in lines]).markdown(rule=" --- |")
    listed = "\n".join(f"- {line}" for line in notes)
    (output / "compare.md").write_text(f"# A against B\n\n{listed}\n\n{table}\n\n{NOTE}\n", encoding="utf-8")
    rows = []
    for line in lines:
        d = line.difference
        numbers = (line.one, line.other, d.value, d.low, d.high, line.p)
        rows.append((line.domain, line.metric, *("" if x != x else f"{x:.6g}" for x in numbers)))
    head = ("domain", "metric", "a", "b", "difference", "low", "high", "p")
    (output / "compare.csv").write_text(Table(head, rows).csv(), encoding="utf-8", newline="")
    if result is not None:
        from src.reporting.dominance import spreadsheet

        (output / DOMINANCE).write_text(spreadsheet({("A", "B"): result}, "accuracy"), encoding="utf-8", newline="")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. A mistake in it ends with code 2 and one message instead of a stack trace."""
    parser = argparse.ArgumentParser(prog="python -m src compare", description=__doc__)
    parser.add_argument("one", type=user_path, metavar="RUN_A")
    parser.add_argument("other", type=user_path, metavar="RUN_B")
    parser.add_argument("--split", default="test")
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=SHOWN,
        help="columns of the result tables, pass@<k>, 'in-language pass@<k>' or maj@<k>",
    )
    parser.add_argument("--output", type=user_path, help="a folder for compare.md, compare.csv and dominance.csv")
    options = parser.parse_args(arguments)
    try:
        _check(options.metrics, options.output)
        from src.analysis.domains import describe, domains_of
        from src.analysis.statistics import paired
        from src.reporting.paired import lines as differences
        from src.store.records import seen_of

        paths = (options.one, options.other)
        records = [find(path) for path in paths]
        if [len(side) for side in records] == [1, 1] and records[0].keys() != records[1].keys():
            records = [{0: next(iter(side.values()))} for side in records]
        files = [path for side in records for path in side.values()]
        weights = part_weights(files)
        pass_at = [int(match[1]) for match in map(PASS.fullmatch, options.metrics) if match]
        sides = [read(side, options.split, weights, pass_at) for side in records]
        same_gold_answers(files, options.split)
        one, other = paired(*sides)
        _check_known(options.metrics, (one, other))
        seen = {name: seen_of(side.values()) for name, side in zip("AB", records, strict=True)}
        lines = differences(one, other, options.metrics, domains_of(seen.values(), one.languages))
        result = dominated(one, other, options.split)
        counts = [in_words(result)] if result is not None else []
        trained = f"languages seen in training: {describe(seen)}"
        notes = [*about(paths, sides, one, options.split), trained, *counts, *stamps(files)]
        show(notes, lines)
        if options.output:
            write(options.output, notes, lines, result)
    except UserError as error:
        return fail(str(error))
    return 0


def _check(metrics: Sequence[str], output: Path | None) -> None:
    from src.analysis.statistics import DETAILS, METRICS

    valid = [*METRICS, *DETAILS]
    for metric in metrics:
        if metric not in valid and not PASS.fullmatch(metric):
            hint = did_you_mean(metric, valid)
            raise UserError(
                f"--metrics must be among {', '.join(valid)}, pass@<k>, in-language pass@<k>, maj@<k>; got {metric!r}.{hint}"
            )
    if output is not None and output.exists() and not output.is_dir():
        raise UserError(f"--output must be a folder; {output} is a file. Give another name")


def _check_known(metrics: Sequence[str], sides: Sequence[Cells]) -> None:
    from src.analysis.statistics import known

    for name, side in zip("AB", sides, strict=True):
        for metric in metrics:
            if metric not in known(side):
                raise UserError(
                    f"--metrics must be what both records can tell; {metric!r} is not in those of {name}, which an earlier "
                    "version wrote. Evaluate it again, or leave the metric out"
                )
