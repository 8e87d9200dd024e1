"""The report of the study, from its finished runs: `python experiments/budget_alignment/report.py --scale laptop`.

Writes `results/<scale>/`: report.md with the tables and sentences of RQ0 to RQ5, a picture for each, and dominance.csv.
Root, seeds and overrides must be those of the launch.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas
from omegaconf import OmegaConf

from src.common.console import fail
from src.common.errors import UserError
from src.orchestration.arms import RunsSpec
from src.orchestration.jobs import Runs
from src.reporting.budget_alignment import answers, by_method, sections
from src.reporting.dominance import spreadsheet
from src.reporting.page import as_markdown
from src.store.directory import DOMINANCE, MARKDOWN, Run

HERE = Path(__file__).resolve().parent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="laptop")
    parser.add_argument("--root", default="runs")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of the file's")
    parser.add_argument("--output", type=Path, help="default: results/<scale>/ beside this file")
    parser.add_argument("overrides", nargs="*", help="those of the launch")
    options = parser.parse_intermixed_args(arguments)
    try:
        output = options.output or HERE / "results" / options.scale
        write(options, output)
    except UserError as error:
        return fail(str(error))
    print(output / MARKDOWN)
    return 0


def write(options: argparse.Namespace, output: Path) -> None:
    """Read the runs and write the report."""
    spec = RunsSpec.read(HERE / "runs.yaml")
    spec = spec.with_given(options.scale, options.seeds, options.overrides)
    runs = Runs(spec, options.scale, options.root)
    finished = [Run.of(job.directory, job.name, job.seed) for job in (task.job() for task in runs.tasks())]
    for run in finished:
        if not run.records.is_file():
            raise UserError(f"{run.method} seed {run.seed}: no records at {run.records}. Finish the launch first")
    arms: dict[str, dict[int, pandas.DataFrame]] = {}
    for run in finished:
        arms.setdefault(run.method, {})[run.seed] = pandas.read_parquet(run.records)
    config = OmegaConf.load(finished[0].config)
    study = answers(by_method(arms), list(config.evaluation.pass_at), dict(config.benchmark.weights))
    output.mkdir(parents=True, exist_ok=True)
    title = f"Budget Alignment (scale={options.scale})"
    page = as_markdown(title, sections(study, output, HERE / "expected.csv"))
    (output / MARKDOWN).write_text(page.rstrip("\n") + "\n", encoding="utf-8")
    (output / DOMINANCE).write_text(spreadsheet(study.dominated(), study.quality), encoding="utf-8", newline="")


if __name__ == "__main__":
    sys.exit(main())
