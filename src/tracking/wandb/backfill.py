"""What W&B gets of a run, made from the files of its stages: tables of rollouts, final values, the report."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.analysis.run_values import run_values
from src.store.directory import FILES, ROLLOUT_FOLDER, SPREADSHEET, RunDirectory
from src.store.records import EVALUATION
from src.tracking.metrics_file import read_metrics
from src.tracking.shown import chosen, printable, rollouts_shown
from src.tracking.spec import TrackingSpec
from src.tracking.wandb.run import Media, WandbRun
from src.tracking.wandb.state import metrics_files

EVALUATED = tuple(
    column.name
    for column in EVALUATION
    if column.in_tables or column.name in ("split", "problem", "language", "question")
)


def send_line(run: WandbRun, folder: Path, line: Mapping[str, Any]) -> None:
    """A line of `<folder>/metrics.jsonl`, with a table of rollouts where one is due."""
    metrics = {name: value for name, value in line.items() if name not in ("stage", "step", "time")}
    step = int(line["step"])
    run.log(str(line["stage"]), step, metrics, lambda: _rollouts(folder / ROLLOUT_FOLDER, step, run.spec))


def _rollouts(directory: Path, step: int, spec: TrackingSpec) -> Media:
    rows = rollouts_shown(directory, step, spec)
    return {"rollouts": _table(rows)} if rows else {}


def _table(rows: list[dict[str, Any]]) -> Any:
    import wandb

    names: list[Any] = list(rows[0])
    return wandb.Table(columns=names, data=[[row[name] for name in names] for row in rows])


def _evaluated(records: Path, count: int) -> Media:
    """The table of completions of the evaluation."""
    import pyarrow.parquet

    there = set(pyarrow.parquet.read_schema(records).names)
    table = pyarrow.parquet.read_table(records, columns=[name for name in EVALUATED if name in there])
    rows = table.take(chosen(list(range(len(table))), count)).to_pylist() if count > 0 else []
    return {"evaluate/records": _table([printable(row) for row in rows])} if rows else {}


def backfill(run: WandbRun, home: Path, budget: int, part_weights: Mapping[str, float]) -> None:
    """Send what W&B lacks of the stages in `home`: metrics, final values (also as the run's summary, where a sweep looks
    for them), and table and pictures of the report. `budget` and `part_weights` as in `run_values`."""
    if not run.open:
        return
    for path in metrics_files(home):
        for line in read_metrics(path):
            send_line(run, path.parent, line)
    records = RunDirectory(home).records
    if records.is_file():
        run.once(
            "evaluate",
            lambda: dict(run_values(records, budget, part_weights or None)),
            summary=True,
            tables=lambda: _evaluated(records, run.spec.evaluation_rows),
        )
    if (home / "report" / FILES).is_file():
        run.once("report", lambda: _report(home / "report"))


def _report(folder: Path) -> Media:
    """Table and pictures of the report, by name."""
    import wandb

    with (folder / SPREADSHEET).open(newline="", encoding="utf-8") as handle:
        head, *rows = csv.reader(handle)
    first_number = head.index("value")
    numbers = [row[:first_number] + [float(value) for value in row[first_number:]] for row in rows]
    table = wandb.Table(columns=list[Any](head), data=numbers)
    pictures = sorted(
        {
            path
            for name in json.loads((folder / FILES).read_text(encoding="utf-8")).values()
            if (path := folder / Path(name).name).suffix == ".png"
        }
    )
    return {"report/table": table} | {
        f"report/{path.stem}": wandb.Image(str(path)) for path in pictures if path.is_file()
    }
