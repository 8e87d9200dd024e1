"""The report of the study, from its finished runs: `python experiments/budget_alignment/report.py --scale laptop`.

Writes `results/<scale>/`: report.md with the tables and sentences of RQ0 to RQ5, a picture for each, and dominance.csv.
Root, seeds and overrides must be those of the launch.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas
from omegaconf import OmegaConf

from src.orchestration.jobs import Runs
from src.orchestration.study import evaluated, report
from src.reporting.budget_alignment import answers, by_method, sections
from src.reporting.dominance import spreadsheet
from src.reporting.page import as_markdown
from src.store.directory import DOMINANCE

HERE = Path(__file__).resolve().parent


def page(runs: Runs, output: Path) -> str:
    """The report's text; pictures and dominance.csv go to `output`."""
    finished = evaluated([task.job() for task in runs.tasks()])
    arms: dict[str, dict[int, pandas.DataFrame]] = {}
    for run in finished:
        arms.setdefault(run.method, {})[run.seed] = pandas.read_parquet(run.records)
    config = OmegaConf.load(finished[0].config)
    study = answers(by_method(arms), list(config.evaluation.pass_at), dict(config.benchmark.weights))
    (output / DOMINANCE).write_text(spreadsheet(study.dominated(), study.quality), encoding="utf-8", newline="")
    title = f"Budget Alignment (scale={runs.scale})"
    return as_markdown(title, sections(study, output, HERE / "expected.csv"))


if __name__ == "__main__":
    sys.exit(report(HERE, __doc__, page))
