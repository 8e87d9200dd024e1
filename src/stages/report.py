"""One run's table, pictures and page, from what its other stages left."""

from __future__ import annotations

from pathlib import Path

from src.reporting.compose import Run, compose_report
from src.stages.spec import DATA_STAGES
from src.stages.stage import Stage


def run(stage: Stage) -> None:
    """Write `report/` beside the evaluation."""
    directory = stage.directory.parent
    compose_report(
        stage.directory,
        f"{stage.config.method}, seed {stage.config.seed}",
        [found(directory, stage.config.method, stage.config.seed)],
    )


def found(directory: Path, method: str, seed: int) -> Run:
    """What a finished run directory offers to a report."""
    metrics = directory / "grpo" / "metrics.jsonl"
    rollouts = directory / "grpo" / "rollouts"
    return Run(
        method=method,
        seed=seed,
        records=directory / "evaluate" / "records.parquet",
        metrics=metrics if metrics.is_file() else None,
        rollouts=rollouts if rollouts.is_dir() else None,
        config=directory / "config.yaml",
    )


def show(directory: Path) -> None:
    """Print the tables of a run's data stages and report, and where its files are; nothing when it has none."""
    for name in DATA_STAGES:
        table = directory / name / "table.txt"
        if table.is_file():
            print(table.read_text())
    page = directory / "report" / "report.md"
    if page.is_file():
        print((directory / "report" / "table.txt").read_text())
        print(f"report: {directory / 'report' / 'report.html'}")
