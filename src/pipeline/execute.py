"""Carry out a run: each planned stage in turn, on one process or on several ranks, skipping what is finished."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from src.common.errors import ConfigError
from src.common.lock import exclusive
from src.config.schema import Config
from src.distributed.environment import launch_environment
from src.pipeline.plan import plan
from src.pipeline.stage import Planned, Stage, module_of
from src.pipeline.tracking import complete, followed
from src.store.directory import DONE, INPUTS

if TYPE_CHECKING:
    from src.distributed.ranks import Ranks


def execute(config: Config, run_directory: Path, config_file: Path) -> bool:
    """Run every stage that is not finished; False when there was nothing left to do. Started as several ranks, by torchrun
    or srun, every rank calls this.

    Raises:
        ConfigError: a stage's folder holds the work of another configuration.
    """
    ranks = None
    if launch_environment().shared:
        from src.distributed.ranks import init_ranks

        ranks = init_ranks(config.distributed)
    main = ranks is None or ranks.main
    worked = False
    for planned in plan(config, run_directory):
        # of several runs that need a shared stage, one works
        with exclusive(planned.directory) if main else nullcontext():
            if main:
                _claim(planned)
            if not _left(planned, ranks):
                continue
            worked = True
            began = time.time()
            if ranks is None:
                _run(config, planned, run_directory, config_file)
            elif main or planned.split:
                run_stage(Stage(config, planned, ranks if planned.split else replace(ranks, size=1)))
            if main:
                _finish(planned, time.time() - began)
            if ranks is not None:
                ranks.barrier()
    if main and config.tracking.wandb:
        complete(config, run_directory)
    return worked


def _left(planned: Planned, ranks: Ranks | None) -> bool:
    """Whether a stage is still to be done; of several ranks rank 0 says."""
    return not planned.finished if ranks is None else ranks.gather([not planned.finished])[0]


def _run(config: Config, planned: Planned, run_directory: Path, config_file: Path) -> None:
    """The stage in this process, or in ranks of our own."""
    if not planned.split or (config.distributed.processes == 1 and not config.distributed.zero):
        from src.distributed.ranks import init_ranks

        run_stage(Stage(config, planned, init_ranks(config.distributed)))
        return
    from src.distributed.spawn import launch

    launch("src.pipeline.worker", [str(config_file), str(run_directory), planned.name], config.distributed.processes)


def run_stage(stage: Stage) -> None:
    """The stage's own module, `src/stages/<name>.py`, does the work."""
    with followed(stage):
        module_of(stage.planned.name).run(stage)


def _claim(planned: Planned) -> None:
    """Take the folder for this configuration, or say in what an earlier one differs."""
    from src.common.files import replace_durably

    record = planned.directory / INPUTS
    if record.is_file():
        held = json.loads(record.read_text())
        if held["identity"] != planned.identity:
            lines = "\n".join(
                f"  - {line}" for line in _differences(held["inputs"], json.loads(json.dumps(planned.inputs)))
            )
            raise ConfigError(
                f"{planned.directory} holds the work of another configuration:\n{lines}\n"
                "Run with that configuration, take another seed or root, or delete the folder to start anew"
            )
    content = json.dumps({"identity": planned.identity, "inputs": planned.inputs, "model": planned.model}, indent=1)
    replace_durably(record, content.encode())


def _finish(planned: Planned, seconds: float) -> None:
    from src.common.files import replace_durably
    from src.store.provenance import commit

    note = {"identity": planned.identity, "commit": commit(), "seconds": round(seconds, 2)}
    replace_durably(planned.directory / DONE, json.dumps(note).encode())


def _differences(old: object, new: object, name: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in _differences(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{name}: there {old!r}, here {new!r}"]
