"""What W&B gets of a run, made from the files of its stages: tables of rollouts, final values, the report."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.analysis.run_values import run_values
from src.common.visible import visible
from src.store.directory import FILES, ROLLOUT_FOLDER, SPREADSHEET, RunDirectory
from src.store.records import PART, ROLLOUTS
from src.store.rollouts import read_rollouts, rollouts_file
from src.tracking.metrics_file import read_metrics
from src.tracking.spec import TrackingSpec
from src.tracking.wandb.run import Media, WandbRun
from src.tracking.wandb.state import metrics_files

COLUMNS = tuple(column.name for column in ROLLOUTS if column.in_tables)


def send_line(run: WandbRun, folder: Path, line: Mapping[str, Any]) -> None:
    """A line of `<folder>/metrics.jsonl`, with a table of rollouts where one is due."""
    metrics = {name: value for name, value in line.items() if name not in ("stage", "step", "time")}
    step = int(line["step"])
    run.log(str(line["stage"]), step, metrics, lambda: _rollouts(folder / ROLLOUT_FOLDER, step, run.spec))


def chosen(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """`count` of the rows (or all), evenly spread: always the same, and as many prompts as there can be."""
    return rows if len(rows) <= count else [rows[place * len(rows) // count] for place in range(count)]


def _rollouts(directory: Path, step: int, spec: TrackingSpec) -> Media:
    due = spec.rollouts_every > 0 and spec.rollouts_rows > 0 and step % spec.rollouts_every == 0
    if not due or not rollouts_file(directory, step).is_file():
        return {}
    import wandb

    rows = chosen(read_rollouts(directory, step), spec.rollouts_rows)
    names: list[Any] = [name for name in rows[0] if name in COLUMNS or name.startswith(PART)]
    data = [[visible(row[name]) if isinstance(row[name], str) else row[name] for name in names] for row in rows]
    return {"rollouts": wandb.Table(columns=names, data=data)}


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
        run.once("evaluate", lambda: dict(run_values(records, budget, part_weights or None)), summary=True)
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
