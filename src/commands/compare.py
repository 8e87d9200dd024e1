"""Two finished runs beside each other, and their paired difference: `python -m src compare RUN_A RUN_B`.

A run is its directory, a folder of such directories called seed0, seed1, ... (all are taken), or a records.parquet.
Two single runs are a pair whatever their seeds, then called 0; else seeds of the same number are pairs.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.commands.base import weights_beside
from src.common.console import fail
from src.common.errors import UserError, did_you_mean
from src.common.tables import Table
from src.config.paths import user_path
from src.store.directory import DOMINANCE, RunDirectory
from src.store.whole import check_source

if TYPE_CHECKING:
    from src.analysis.dominance import Dominance
    from src.analysis.statistics import Cells, Estimate

RECORDS = RunDirectory(Path()).records  # within a run directory
SEED = re.compile(r"seed(\d+)(-[0-9a-f]+)?")
PASS = re.compile(r"(?:pass|in-language pass|maj)@([1-9]\d*)")
SHOWN = ("accuracy", "fidelity", "right and in language", "LCPR", "code-switched", "tokens")
NEEDED = (
    *("split", "problem", "language", "correct", "in_language", "right_and_in_language", "line_pass", "word_pass"),
    *("code_switched", "tokens", "truncated"),
)
# Records of earlier versions lack them.
OPTIONAL = (
    *("part", "status", "answer_detected", "foreign_script"),
    *("trace_follows", "answer_follows", "follows"),
)
NOTE = (
    "A - B is paired: the same seeds, problems and languages. Interval: 95 % bootstrap over seeds and problems. "
    "p: two-sided, sign flips of problems; LCPR and following, which are no means over problems, have none."
)


@dataclass(frozen=True)
class Line:
    """One metric of both runs in one domain, and A minus B."""

    domain: str
    metric: str
    one: float
    other: float
    difference: Estimate
    p: float

    def texts(self) -> tuple[str, ...]:
        """The cells of a table."""
        digits = 1 if self.metric.startswith("tokens") else 3
        d = self.difference
        sides = (f"{x:.{digits}f}" if isfinite(x) else "-" for x in (self.one, self.other))
        if not isfinite(d.value):
            return self.domain, self.metric, *sides, "-", "-", ""
        interval = f"[{d.low:+.{digits}f}, {d.high:+.{digits}f}]"
        p = f"{self.p:.4f}" if isfinite(self.p) else ""
        return self.domain, self.metric, *sides, f"{d.value:+.{digits}f}", interval, p


HEAD = ("domain", "metric", "A", "B", "A - B", "95 % interval", "p")


def find(path: Path) -> dict[int, Path]:
    """Seed -> records of the run, or the runs, at `path`; seed 0 where the name of the directory tells none.

    Raises:
        UserError: there are no records, or two of a seed.
    """
    if path.is_file():
        files = [path]
    elif (path / RECORDS).is_file():
        files = [path / RECORDS]
    else:
        files = sorted(path.glob(f"seed*/{RECORDS}"))
    if not files:
        raise UserError(
            f"{path}: a run must hold {RECORDS}, itself or in folders seed*; there is none. Finish its evaluation, or "
            "give a run directory or a records.parquet"
        )
    seeds: dict[int, Path] = {}
    for file in files:
        match = SEED.fullmatch(file.resolve().parent.parent.name)
        seed = int(match[1]) if match else 0
        if seed in seeds:
            raise UserError(f"{path}: each seed must be there once; {seeds[seed]} and {file} are both {seed}. Give one")
        seeds[seed] = file
    return seeds


def read(records: dict[int, Path], split: str, weights: dict[str, float], pass_at: Sequence[int]) -> Cells:
    """The cells of one side.

    Raises:
        UserError: a file is not one of records, or lacks the split.
    """
    from src.analysis.statistics import cells

    frames = {seed: _frame(path) for seed, path in records.items()}
    for seed, frame in frames.items():
        splits = sorted(set(frame["split"]))
        if split not in splits:
            raise UserError(f"{records[seed]}: --split must be among {', '.join(splits)}; got {split!r}")
    return cells(frames, split, weights, pass_at)


def compare(
    one: Cells, other: Cells, metrics: Sequence[str], domains: Mapping[str, Sequence[str]] | None = None
) -> list[Line]:
    """A line for every metric in every domain of languages (none given: all together); `one` and `other` are paired."""
    from src.analysis.domains import domains_of
    from src.analysis.statistics import estimate, macro, p_value, resampled

    over = resampled(one)
    lines = []
    for domain, languages in (domains or domains_of([])).items():
        for metric in metrics if set(languages) & set(one.languages) else ():
            a = macro(one, metric, languages, over)
            b = macro(other, metric, languages, over)
            p = p_value(one, other, metric, languages)
            lines.append(Line(domain, metric, float(a[0]), float(b[0]), estimate(a - b), p))
    return lines


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
        from src.store.records import seen_of

        paths = (options.one, options.other)
        records = [find(path) for path in paths]
        if [len(side) for side in records] == [1, 1] and records[0].keys() != records[1].keys():
            records = [{0: next(iter(side.values()))} for side in records]
        weights = weights_beside([path for side in records for path in side.values()])
        pass_at = [int(match[1]) for match in map(PASS.fullmatch, options.metrics) if match]
        sides = [read(side, options.split, weights, pass_at) for side in records]
        same_gold_answers(records, options.split)
        one, other = paired(*sides)
        _check_known(options.metrics, (one, other))
        seen = {name: seen_of(side.values()) for name, side in zip("AB", records, strict=True)}
        lines = compare(one, other, options.metrics, domains_of(seen.values(), one.languages))
        result = dominated(one, other, options.split)
        counts = [in_words(result)] if result is not None else []
        trained = f"languages seen in training: {describe(seen)}"
        notes = [*about(paths, sides, one, options.split), trained, *counts, *stamps(records)]
        show(notes, lines)
        if options.output:
            write(options.output, notes, lines, result)
    except UserError as error:
        return fail(str(error))
    return 0


def same_gold_answers(sides: Sequence[dict[int, Path]], split: str) -> None:
    """Raise `UserError` when a problem has another gold answer on the other side: equal names, unequal problems."""
    import pandas
    from pyarrow import parquet

    gold_answers: dict[tuple[str, str], str] = {}
    for path in (path for side in sides for path in side.values()):
        if "gold" not in parquet.read_schema(path).names:
            continue
        frame = pandas.read_parquet(path, columns=["split", "problem", "language", "gold"])
        frame = frame[frame["split"] == split].drop_duplicates(["problem", "language"])
        for problem, code, gold in zip(frame["problem"], frame["language"], frame["gold"], strict=True):
            other = gold_answers.setdefault((problem, code), gold)
            if other != gold:
                raise UserError(
                    f"{path}: runs that are compared must answer the same problems; problem {problem!r} in {code} has gold "
                    f"{gold!r:.40} there and {other!r:.40} in another run. Compare runs on one benchmark"
                )


def stamps(sides: Sequence[dict[int, Path]]) -> list[str]:
    """A line of warning when the records were not scored by one rule, with one version of what it rests on."""
    from pyarrow import parquet

    paths = [path for side in sides for path in side.values()]
    rules = {(parquet.read_schema(path).metadata or {}).get(b"scoring", b"not told").decode() for path in paths}
    if len(rules) == 1:
        return []
    return [f"warning: scored by different rules, evaluate again to compare: {' | '.join(sorted(rules))}"]


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


def _frame(path: Path) -> Any:
    """The columns that are needed; completions stay on disk."""
    import pandas
    from pyarrow import parquet

    check_source(path)
    try:
        names = parquet.read_schema(path).names
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: must be a parquet file of records; {error}. Evaluate the run again") from None
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise UserError(f"{path}: records must have the column {missing[0]!r}; it is missing. Evaluate the run again")
    return pandas.read_parquet(path, columns=[*NEEDED, *(name for name in OPTIONAL if name in names)])
