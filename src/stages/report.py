"""One run's table, pictures and page, from what its other stages left."""

from __future__ import annotations

from pathlib import Path

from src.config.schema import Config
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Declaration, Stage
from src.reporting.portable import write_portable
from src.reporting.report import build_report
from src.reporting.selection import name_of
from src.selectors.vote import Vote
from src.store.directory import DATA_STAGES, HEADLINE, MARKDOWN, PAGE, TABLE, Run, RunDirectory

INPUTS = ("method",)


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage."""
    own = () if config.selector == Vote() else ("selector",)  # as reports made before there was a choice
    return Declaration((*INPUTS, *own), split=False)


def preflight(look: Look) -> None:
    """It works with what other stages leave."""


def run(stage: Stage) -> None:
    """Write `report/` beside the evaluation."""
    of_it = Run.of(stage.directory.parent, stage.config.method, stage.config.seed)
    build_report(
        stage.directory,
        f"{stage.config.method}, seed {stage.config.seed}",
        [of_it],
        selectors={name_of(stage.config.selector): stage.config.selector},
    )
    write_portable(stage.directory, of_it)


def show(directory: Path) -> None:
    """Print the tables of a run's data stages, what its report comes to, and where its files are; nothing when it has none."""
    for name in DATA_STAGES:
        table = directory / name / TABLE
        if table.is_file():
            print(table.read_text(encoding="utf-8"))
    folder = RunDirectory(directory).report
    if (folder / MARKDOWN).is_file():
        print((folder / HEADLINE).read_text(encoding="utf-8"))
        print(f"tables: {folder / TABLE}\nreport: {folder / PAGE}")
        print(f"next:   python -m src compare {directory} <another run>")
