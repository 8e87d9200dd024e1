"""The files of a run directory: every name is spelled here and nowhere else.

A run directory holds a folder for each stage, and what the run itself tells. The folders of `SHARED` stages lie elsewhere, see
`src.pipeline.plan`; answers of a teacher in a folder of their own, see `src.stages.traces`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Of the run: its configuration and command, what it tells while it works, its job, its output, its W&B run.
CONFIG = "config.yaml"
OVERRIDES = "overrides.txt"
STATUS = "status.json"
ERROR = "error.txt"
LOCK = ".run.lock"
SLURM = "slurm.json"
LOG = "log.txt"
WANDB = "wandb.json"
TRACKIO = "trackio.json"
PREFLIGHT = "preflight.json"  # that everything was looked at before the first stage, and passed
LAST_MODEL = "model.json"  # where the last model is that the run has made, which may be of a shared stage
PREVIEW = "schedule.png"

# Of every stage: what its result depends on, and that it is finished.
INPUTS = "inputs.json"
DONE = "done.json"

# Of stages that train or answer.
METRICS = "metrics.jsonl"
ROLLOUT_FOLDER = "rollouts"
CHECKPOINTS = "checkpoints"
MODEL = "model"
MODEL_CARD = "README.md"  # within the folder of a model
LANGUAGES = "languages.json"  # within the folder of a model: what it has seen in training
PARTS = "parts"
RECORDS = "records.parquet"

# Of stages that make data.
SFT = "sft.jsonl"
VALIDATION = "validation.jsonl"
PROMPTS = "prompts.jsonl"
SAMPLES = "samples.jsonl"  # right answers of the model that measured difficulty
DROPPED = "dropped.jsonl"
CARD = "card.md"
CHECKED = "examples.txt"
FAULTY = "faulty.jsonl"
ANSWERS = "answers.jsonl"
SERVICES = "services"  # within the folder of a stage: what services answered, a folder each
TEACHER = "teacher.json"

# Of reports.
TABLE = "table.txt"
HEADLINE = "headline.txt"  # what the report comes to, in ten lines
SPREADSHEET = "table.csv"
MARKDOWN = "report.md"
PAGE = "report.html"
LATEX = "tables.tex"
DOMINANCE = "dominance.csv"  # every pair of language and data set of every comparison
FILES = "files.json"
HARNESS_RESULTS = "results.json"  # these two in the form of lm-evaluation-harness
HARNESS_SAMPLES = "samples_{task}.jsonl"

# Of the folder of a sweep, and of a submission to a cluster.
SWEEP = "sweep.json"
TRIALS = "trials.jsonl"
SUMMARY = "summary.json"

STAGES = ("traces", "pretrain", "merge", "sft", "prompts", "grpo", "evaluate", "report")
DATA_STAGES = ("traces", "prompts")  # they make files of data for later runs
MODEL_STAGES = ("pretrain", "merge", "sft", "grpo")  # they leave a model
SHARED_FOLDER = "shared"  # beside the runs of a scale
SHARED = ("pretrain", "sft")  # of several runs: their folders are not in the run directory


@dataclass(frozen=True)
class RunDirectory:
    """The paths of a run directory; whether anything is there is not asked."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / CONFIG

    @property
    def metrics(self) -> Path:
        """What was logged of the steps of GRPO."""
        return self.path / "grpo" / METRICS

    @property
    def rollouts(self) -> Path:
        """The folder of GRPO's rollouts, a file for each step."""
        return self.path / "grpo" / ROLLOUT_FOLDER

    @property
    def records(self) -> Path:
        """A row for each completion of the evaluation."""
        return self.path / "evaluate" / RECORDS

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.path / "report"


@dataclass(frozen=True)
class Run:
    """What one run offers: its evaluation records, and, of a GRPO run, its metrics and rollouts."""

    method: str
    seed: int
    records: Path
    metrics: Path | None
    rollouts: Path | None
    config: Path

    @staticmethod
    def of(directory: Path, method: str, seed: int) -> Run:
        """What a finished run directory offers to a report."""
        paths = RunDirectory(directory)
        return Run(
            method=method,
            seed=seed,
            records=paths.records,
            metrics=paths.metrics if paths.metrics.is_file() else None,
            rollouts=paths.rollouts if paths.rollouts.is_dir() else None,
            config=paths.config,
        )
