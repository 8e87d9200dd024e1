"""One run's table, pictures and page, from what its other stages left."""

from __future__ import annotations

from pathlib import Path

from src.pipeline.stage import Stage
from src.reporting.report import build_report
from src.store.directory import DATA_STAGES, found


def run(stage: Stage) -> None:
    """Write `report/` beside the evaluation."""
    directory = stage.directory.parent
    build_report(
        stage.directory,
        f"{stage.config.method}, seed {stage.config.seed}",
        [found(directory, stage.config.method, stage.config.seed)],
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
