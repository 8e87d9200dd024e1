"""The table of the study, from its finished runs: `python experiments/neighbours/report.py --scale laptop`.

Writes `results/<scale>/`: report.md with a table for all languages, those trained in and those not, arms.png and front.png.
Root, seeds and overrides must be those of the launch.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas
from omegaconf import OmegaConf

from src.analysis.domains import domains_of
from src.analysis.statistics import Cells, cells
from src.common.console import fail
from src.common.errors import UserError
from src.config.compose import compose
from src.orchestration.arms import Arm, RunsSpec, ancestors
from src.orchestration.chain import configuration
from src.orchestration.jobs import Job, Runs
from src.pipeline.plan import plan
from src.reporting import figures, tables
from src.reporting.overview import overview
from src.reporting.page import Section, as_markdown
from src.reporting.spent import Spent, spent
from src.store.directory import MARKDOWN, Run, RunDirectory
from src.store.records import seen_of

HERE = Path(__file__).resolve().parent
SPLIT = "test"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="laptop")
    parser.add_argument("--root", default="runs")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of the file's")
    parser.add_argument("--output", type=Path, help="default: results/<scale>/ beside this file")
    parser.add_argument("overrides", nargs="*", help="those of the launch")
    options = parser.parse_intermixed_args(arguments)
    output = options.output or HERE / "results" / options.scale
    try:
        write(options, output)
    except UserError as error:
        return fail(str(error))
    print(output / MARKDOWN)
    return 0


def write(options: argparse.Namespace, output: Path) -> None:
    """Read the runs and write the report."""
    spec = RunsSpec.read(HERE / "runs.yaml").with_given(options.scale, options.seeds, options.overrides)
    runs = Runs(spec, options.scale, options.root)
    arms = {arm.name: arm for arm in spec.arms()}
    jobs = {(name, seed): runs.job(arm, seed) for name, arm in arms.items() for seed in spec.seeds}
    evaluated = [name for name in arms if "evaluate" in jobs[name, spec.seeds[0]].stages]
    methods = {name: _cells([jobs[name, seed] for seed in spec.seeds]) for name in evaluated}
    costs = {name: [_spent(arms[name], arms, jobs, seed) for seed in spec.seeds] for name in evaluated}
    output.mkdir(parents=True, exist_ok=True)
    # Of the arm that the others are compared with: experts have seen one language each.
    seen = seen_of(RunDirectory(jobs[spec.compared, seed].directory).records for seed in spec.seeds)
    domains = domains_of([seen])
    rows = tables.summary({(name, SPLIT): data for name, data in methods.items()}, domains)
    figures.arms(rows, SPLIT, output / "arms.png")
    figures.pareto(rows, SPLIT, output / "front.png")
    for picture in output.glob("*.svg"):  # the page shows the others
        picture.unlink()
    words = (
        "95 % bootstrap intervals over seeds and problems. Cost: training with all that it builds on, mean over seeds."
    )
    sections = [
        Section(f"{SPLIT}, {domain}", words, overview(methods, spec.compared, costs, codes))
        for domain, codes in domains.items()
    ]
    sections += [
        Section("All methods", picture=output / "arms.png"),
        Section("Accuracy and fidelity", picture=output / "front.png"),
    ]
    page = as_markdown(
        f"{spec.title} (scale={options.scale}, {len(spec.seeds)} seed{'s' * (len(spec.seeds) > 1)})", sections
    )
    (output / MARKDOWN).write_text(page.rstrip("\n") + "\n", encoding="utf-8")


def _cells(jobs: list[Job]) -> Cells:
    """The evaluation of an arm over its seeds."""
    runs = [Run.of(job.directory, job.name, job.seed) for job in jobs]
    for run in runs:
        if not run.records.is_file():
            raise UserError(f"{run.method} seed {run.seed}: no records at {run.records}. Finish the launch first")
    config: Any = OmegaConf.load(runs[0].config)
    records = {run.seed: pandas.read_parquet(run.records) for run in runs}
    return cells(records, SPLIT, dict(config.benchmark.weights))


def _spent(arm: Arm, arms: dict[str, Arm], jobs: dict[tuple[str, int], Job], seed: int) -> Spent:
    """The cost of an arm with that of all it builds on."""
    stages = []
    for name in (*(other.name for other in ancestors(arm, list(arms.values()))), arm.name):
        job = jobs[name, seed]
        config = configuration(compose([f"+experiment={job.experiment}", *job.overrides]), seed)
        stages += [(stage.name, stage.directory) for stage in plan(config, job.directory)]
    return spent(stages)


if __name__ == "__main__":
    sys.exit(main())
