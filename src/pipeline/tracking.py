"""What the copies of a run (W&B, TensorBoard, Trackio) get of the stages that have no tracker of their own, and of a run at
the end of its command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from src.common.lock import exclusive
from src.config.schema import Config
from src.pipeline.plan import plan
from src.pipeline.stage import Stage
from src.store.directory import SHARED, RunDirectory

FOLLOWED = ("evaluate", "report")


@contextmanager
def followed(stage: Stage) -> Iterator[None]:
    """While a stage without a tracker works, the run's W&B run is open, which tells W&B that the run goes on; then it gets
    what came of the stage."""
    config = stage.config
    home = stage.directory.parent
    if not config.tracking.wandb or stage.planned.name not in FOLLOWED or not stage.ranks.main:
        yield
        return
    from src.tracking.wandb.backfill import backfill
    from src.tracking.wandb.run import WandbRun

    run = WandbRun(home, stage.planned.name, config.tracking, last=stage.last)
    try:
        yield
    except BaseException:
        run.close(failed=True)
        raise
    backfill(run, home, config.rollout.maximum_new_tokens, config.benchmark.weights)
    run.close()


def complete(config: Config, directory: Path) -> None:
    """Give the copies what they lack of a finished run, which may be all of it: they may be asked for only now."""
    shared = {planned.directory: planned.name for planned in plan(config, directory) if planned.name in SHARED}
    if config.tracking.wandb:
        _complete_wandb(config, directory, shared)
    if config.tracking.local:
        from src.analysis.run_values import run_values
        from src.tracking import local

        budget, weights = config.rollout.maximum_new_tokens, config.benchmark.weights
        records = RunDirectory(directory).records
        local.complete(directory, config.tracking, lambda: run_values(records, budget, weights or None), shared)


def _complete_wandb(config: Config, directory: Path, shared: Mapping[Path, str]) -> None:
    """Without a network nothing was sent, and a trial of a sweep may have the settings of a run that is done. Still without
    a network, export it; say how to send that."""
    from src.tracking.wandb.backfill import backfill
    from src.tracking.wandb.run import WandbRun
    from src.tracking.wandb.state import is_behind, is_unsent, state

    for home, stage in {directory: config.stages[-1], **shared}.items():
        if home in shared and not state(home):
            continue  # W&B was never asked for it
        with exclusive(home):
            if is_behind(home, shared=home in shared):
                run = WandbRun(home, stage, config.tracking, shared=home in shared, export=True)
                backfill(run, home, config.rollout.maximum_new_tokens, config.benchmark.weights)
                run.close()
    if unsent := [home / "wandb" for home in (directory, *shared) if is_unsent(home)]:
        print(f"W&B was offline; this sends the run: wandb sync {shlex.join(map(str, unsent))}", flush=True)
