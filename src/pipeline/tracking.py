"""What Weights & Biases gets of the stages that have no tracker of their own, and of a run that is finished."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.common.lock import exclusive
from src.config.schema import Config
from src.pipeline.plan import plan
from src.pipeline.stage import Stage
from src.store.directory import SHARED

FOLLOWED = ("evaluate", "report")


@contextmanager
def followed(stage: Stage) -> Iterator[None]:
    """While a stage without a tracker works, the run's W&B run is open, which tells W&B that the run goes on; then it gets
    what came of the stage."""
    config, home = stage.config, stage.directory.parent
    if not config.tracking.wandb or stage.planned.name not in FOLLOWED or not stage.ranks.main:
        yield
        return
    from src.tracking.wandb.backfill import follow
    from src.tracking.wandb.run import WandbRun

    run = WandbRun(home, stage.planned.name, config.tracking, last=stage.last)
    try:
        yield
    except BaseException:
        run.close(failed=True)
        raise
    follow(run, home, config.rollout.maximum_new_tokens, config.benchmark.weights)
    run.close()


def complete(config: Config, directory: Path) -> None:
    """Send W&B what it lacks of a finished run, which may be all of it: a trial of a sweep may have the settings of a run
    that is done. Say how to send what is still on this machine."""
    from src.tracking.wandb.offline_log import unsent
    from src.tracking.wandb.state import lacks

    with exclusive(directory):
        if lacks(directory):
            from src.tracking.wandb.backfill import follow
            from src.tracking.wandb.run import WandbRun

            run = WandbRun(directory, config.stages[-1], config.tracking)
            follow(run, directory, config.rollout.maximum_new_tokens, config.benchmark.weights)
            run.close()
    folders = [directory, *(planned.directory for planned in plan(config, directory) if planned.name in SHARED)]
    if here := [folder / "wandb" for folder in folders if unsent(folder)]:
        print(f"W&B was offline; this sends the run: wandb sync {shlex.join(map(str, here))}", flush=True)
