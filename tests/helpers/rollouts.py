"""Rollouts and evaluation records of a run that never was, as files."""

from pathlib import Path

from src.store.directory import RunDirectory
from src.store.records import EVALUATION, Row, rollout_columns, table, write_table
from src.store.rollouts import write_rollouts

JUDGED: Row = {
    "problem": "p1",
    "language": "fr",
    "question": "Combien font 2+3 ?",
    "completion": "On ajoute. We add. </think>\\boxed{5}",
    "gold": "5",
    "answer": "5",
    "rule": "box",
    "status": "right",
    "correct": True,
    "detected": "fr",
    "in_language": True,
    "code_switched": False,
    "switches": [],
    "sentences": 2,
    "tokens": 12,
    "truncated": False,
}
WORTH: Row = {"reward": 1.0, "advantage": 0.5, "alignment_factor": 0.25, "alignment_term": 0.25, "trained": True}


def write_steps(run: Path, *steps: list[Row], parts: tuple[str, ...] = ()) -> Path:
    """Files of rollouts, from step 1; a row says in what it differs from a right one in French. The run directory."""
    empty = dict.fromkeys(column.name for column in rollout_columns(parts))
    for step, rows in enumerate(steps, 1):
        full = [empty | JUDGED | WORTH | {"step": step, "group": 0} | row for row in rows]
        write_rollouts(RunDirectory(run).rollouts, step, full, parts)
    return run


def write_records(run: Path, rows: list[Row]) -> Path:
    """The file of evaluation records, in the same way. The run directory."""
    empty = dict.fromkeys(column.name for column in EVALUATION) | JUDGED | {"split": "test", "part": "", "sample": 0}
    path = RunDirectory(run).records
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(path, table([empty | row for row in rows], EVALUATION))
    return run
