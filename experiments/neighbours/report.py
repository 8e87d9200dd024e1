"""The table of the study, from its finished runs: `python experiments/neighbours/report.py --scale laptop`.

Writes `results/<scale>/`: report.md with a table for all languages, those trained in and those not, arms.png and front.png.
Root, seeds and overrides must be those of the launch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas
from omegaconf import OmegaConf

from src.analysis.domains import domains_of
from src.analysis.statistics import Cells, cells
from src.config.compose import compose
from src.orchestration.arms import Arm, ancestors
from src.orchestration.chain import configuration
from src.orchestration.jobs import Job, Runs
from src.orchestration.study import evaluated, report
from src.pipeline.plan import plan
from src.reporting import figures, tables
from src.reporting.overview import overview
from src.reporting.page import Section, as_markdown
from src.reporting.spent import Spent, spent
from src.store.directory import RunDirectory
from src.store.records import seen_of

HERE = Path(__file__).resolve().parent
SPLIT = "test"


def page(runs: Runs, output: Path) -> str:
    """The report's text; pictures go to `output`."""
    spec = runs.spec
    arms = {arm.name: arm for arm in spec.arms()}
    jobs = {(name, seed): runs.job(arm, seed) for name, arm in arms.items() for seed in spec.seeds}
    evaluated = [name for name in arms if "evaluate" in jobs[name, spec.seeds[0]].stages]
    methods = {name: _cells([jobs[name, seed] for seed in spec.seeds]) for name in evaluated}
    costs = {name: [_spent(arms[name], arms, jobs, seed) for seed in spec.seeds] for name in evaluated}
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
    return as_markdown(
        f"{spec.title} (scale={runs.scale}, {len(spec.seeds)} seed{'s' * (len(spec.seeds) > 1)})", sections
    )


def _cells(jobs: list[Job]) -> Cells:
    """The evaluation of an arm over its seeds."""
    runs = evaluated(jobs)
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
    sys.exit(report(HERE, __doc__, page))
