"""All finished evaluations below a root, those of one set of questions beside each other, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from src.analysis.domains import ALL, NON_ENGLISH, domains_of
from src.analysis.statistics import Cells, Estimate, cells, estimate, known, macro, resampled
from src.common.errors import UserError
from src.common.tables import Table
from src.reporting.joined import Method, benchmark_of, methods_of
from src.reporting.tables import label
from src.store.finished import Question, below, frame_of, part_weights, questions_of
from src.store.whole import done_of

METRICS = ("accuracy", "fidelity", "right and in language")
FIRST = METRICS[-1]  # what is sorted by
MODEL = 16  # characters of the name of a model


@dataclass(frozen=True)
class Entry:
    """A method on a set of questions. `values`: domain -> metric -> estimate. `commits` are those that evaluated."""

    rank: int
    method: str
    model: str
    data: str
    split: str
    problems: int
    languages: tuple[str, ...]
    seeds: tuple[int, ...]
    values: Mapping[str, Mapping[str, Estimate]]
    commits: tuple[str, ...]
    directories: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything, in values that JSON has: what is not a number is null."""
        values = {
            domain: {
                metric: {name: number if isfinite(number) else None for name, number in asdict(value).items()}
                for metric, value in metrics.items()
            }
            for domain, metrics in self.values.items()
        }
        return asdict(self) | {"values": values, "directories": list(map(str, self.directories))}


def leaderboard(root: Path, split: str | None = None) -> tuple[list[list[Entry]], list[str]]:
    """The entries of each set of questions, best first, the largest sets first; and a sentence for each run that cannot be
    shown. `split`: that one alone.

    Raises:
        UserError: no evaluation below `root` is finished, or none has the split.
    """
    asked: dict[tuple[str, str, frozenset[Question]], list[Path]] = {}
    frames: dict[Path, Any] = {}
    left_out = []
    for run in below(root):
        try:
            if done_of(run / "evaluate") is None:
                continue
            path = Method("", {}, {0: run}).records[0]
            frames[run] = frame_of(path)
            data = benchmark_of(methods_of([run])[0].config)
            for name, questions in questions_of(path).items():
                asked.setdefault((data, name, questions), []).append(run)
        except (UserError, OSError, KeyError) as error:
            left_out.append(f"left out: {error}")
    if not asked:
        raise UserError(
            f"{root}: must hold a finished evaluation (<run>/evaluate/records.parquet); there is none. Give the root"
        )
    if split is not None and split not in {name for _, name, _ in asked}:
        names = ", ".join(sorted({name for _, name, _ in asked}))
        raise UserError(f"--split must be among those that were evaluated, {names}; got {split!r}")
    boards = []
    for (data, name, _), runs in sorted(asked.items(), key=lambda item: (-len(item[0][2]), item[0][:2])):
        if split in (None, name):
            boards.append(_board(data, name, runs, frames, left_out))
    return [board for board in boards if board], left_out


def _board(data: str, split: str, runs: Sequence[Path], frames: Mapping[Path, Any], left_out: list[str]) -> list[Entry]:
    entries = []
    for method in methods_of(runs):
        try:
            weights = part_weights(list(method.records.values()))
            of_it = cells({seed: frames[run] for seed, run in sorted(method.runs.items())}, split, weights)
        except UserError as error:
            left_out.append(f"left out: {method.name}: {error}")
            continue
        seeds, directories = zip(*sorted(method.runs.items()), strict=True)
        commits = {str((done_of(run / "evaluate") or {}).get("commit") or "") for run in directories} - {""}
        values = _values(of_it)
        entries.append(
            Entry(
                rank=0,
                method=method.name,
                model=method.model,
                data=data,
                split=split,
                problems=len(of_it.problems),
                languages=tuple(sorted(of_it.languages)),
                seeds=seeds,
                values=values,
                commits=tuple(sorted(commits)),
                directories=directories,
            )
        )
    entries.sort(key=lambda entry: (-_rank(entry), entry.method))
    return [Entry(**(vars(entry) | {"rank": place})) for place, entry in enumerate(entries, start=1)]


def _values(data: Cells) -> dict[str, dict[str, Estimate]]:
    over = resampled(data)
    domains = domains_of([], data.languages)
    return {
        name: {
            metric: estimate(macro(data, metric, domains[name], over)) for metric in METRICS if metric in known(data)
        }
        for name in (ALL, NON_ENGLISH)
        if name in domains
    }


def heading(board: Sequence[Entry]) -> str:
    """What the entries of a board were asked."""
    first = board[0]
    codes = f"{len(first.languages)} languages" if len(first.languages) > 4 else ", ".join(first.languages)
    return f"{first.data}, {first.split}: {first.problems} problems, {codes}"


def table(board: Sequence[Entry], width: int) -> Table:
    """A row for each entry, in `width` characters where names can be cut to that."""
    with_models = len({entry.model for entry in board}) > 1
    with_non_english = any(NON_ENGLISH in entry.values for entry in board)
    rows = [
        (
            str(entry.rank),
            label(entry.method),
            *([entry.model.rpartition("/")[2][-MODEL:]] if with_models else []),
            *(_number(entry, ALL, metric) for metric in METRICS[:-1]),
            _interval(entry.values[ALL][FIRST]),
            *([_number(entry, NON_ENGLISH, FIRST)] if with_non_english else []),
            spans(entry.seeds),
            entry.commits[0][:7] if len(entry.commits) == 1 else ("various" if entry.commits else "-"),
        )
        for entry in board
    ]
    names = ("#", "method", *(["model"] if with_models else []), "acc.", "in lang.", "both")
    head = (*names, *([NON_ENGLISH] if with_non_english else []), "seeds", "commit")
    taken = sum(max(len(line[place]) for line in (head, *rows)) + 2 for place in range(len(head)) if place != 1)
    room = max(12, width - taken)
    cut = [(row[0], row[1] if len(row[1]) <= room else f"{row[1][: room - 1]}…", *row[2:]) for row in rows]
    return Table(head, cut)


def spans(numbers: Sequence[int]) -> str:
    """Numbers in ascending order, those that follow each other as a span.

    >>> spans([0]), spans([1, 2, 3, 5])
    ('0', '1-3,5')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _number(entry: Entry, domain: str, metric: str) -> str:
    value = entry.values.get(domain, {}).get(metric)
    return f"{value.value:.3f}" if value is not None and isfinite(value.value) else "-"


def _interval(value: Estimate) -> str:
    return f"{value.value:.3f} [{value.low:.2f}, {value.high:.2f}]" if isfinite(value.value) else "-"


def _rank(entry: Entry) -> float:
    value = entry.values[ALL][FIRST].value
    return value if isfinite(value) else -1.0
