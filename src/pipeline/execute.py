"""Carry out a run: each planned stage in turn, on one process or on several ranks, skipping what is finished."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.checksums import damage, sealed
from src.common.console import note
from src.common.errors import ConfigError, UserError
from src.common.files import CheckpointError
from src.common.lock import exclusive
from src.config.schema import Config
from src.distributed.environment import launch_environment
from src.models.spec import WORLD_BASE
from src.pipeline.plan import plan
from src.pipeline.stage import Planned, Stage, module_of
from src.pipeline.tracking import complete, followed
from src.store.directory import DONE, INPUTS, SHARED
from src.store.results import note_model
from src.store.whole import RESULTS, check_source, done_of, lost_history, sums_of_stage

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
    finished: list[Planned] = []  # not looked at yet
    for planned in plan(config, run_directory):
        # of several runs that need a shared stage, one works
        with exclusive(planned.directory) if main else nullcontext():
            if main:
                _claim(planned)
            if not _left(planned, ranks):
                finished.append(planned)
                _note_shared(planned, run_directory, main)
                continue
            while main and finished:
                check_whole(finished.pop())
            if main and not worked:
                check_sources(config)
            worked = True
            began = time.time()
            if ranks is None:
                _run(config, planned, run_directory, config_file)
            elif main or planned.split:
                run_stage(Stage(config, planned, ranks if planned.split else replace(ranks, size=1)))
            if main:
                from src.pipeline.model_card import write_model_card

                write_model_card(config, planned, run_directory)
                _finish(planned, time.time() - began)
            _note_shared(planned, run_directory, main)
            if ranks is not None:
                ranks.barrier()
    if main and (config.tracking.wandb or config.tracking.local):
        complete(config, run_directory)
    return worked


def _note_shared(planned: Planned, run_directory: Path, main: bool) -> None:
    """Say in the run's own folder where a shared stage is, so that the run is enough to name its model."""
    if main and planned.name in SHARED:
        with suppress(CheckpointError):  # a finished run may be read where nothing can be written
            note_model(run_directory, planned.name, planned.result)


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
    held = _held(record)
    if held is None and planned.finished and _done(planned).get("identity") != planned.identity:
        raise ConfigError(
            f"{record} is damaged, and what {planned.directory} holds may be the work of another configuration: delete the "
            "folder to start anew"
        )
    if held is not None:
        if held["identity"] != planned.identity:
            lines = "\n".join(
                f"  - {line}" for line in _differences(held["inputs"], json.loads(json.dumps(planned.inputs)))
            )
            raise ConfigError(
                f"{planned.directory} holds the work of another configuration:\n{lines}\n"
                "Run with that configuration, take another seed or root, or delete the folder to start anew"
            )
        if held == json.loads(json.dumps(_note(planned))):
            return  # to show a finished run nothing need be written
    replace_durably(record, json.dumps(_note(planned), indent=1).encode())


def _note(planned: Planned) -> dict[str, Any]:
    return {"identity": planned.identity, "inputs": planned.inputs, "model": planned.model}


def _held(record: Path) -> dict[str, Any] | None:
    """What the folder is claimed for; None where it is not, or where the note is torn and so written again."""
    try:
        held = json.loads(record.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return held if isinstance(held, dict) and {"identity", "inputs"} <= held.keys() else None


def _finish(planned: Planned, seconds: float) -> None:
    from src.common.files import replace_durably
    from src.store.provenance import commit

    done = {
        "identity": planned.identity,
        "commit": commit(),
        "seconds": round(seconds, 2),
        **sums_of_stage(planned.directory),
    }
    replace_durably(planned.directory / DONE, json.dumps(sealed(done)).encode())


def _done(planned: Planned) -> dict[str, Any]:
    """What was noted at the end of a finished stage; nothing where that is unreadable."""
    return done_of(planned.directory) or {}


def check_whole(planned: Planned) -> None:
    """Raise unless the stage is finished, and its results are those that it finished with."""
    if not (planned.directory / DONE).is_file():
        raise UserError(
            f"the stage {planned.name} in {planned.directory} must have finished; it has not. Finish its run first"
        )
    done = done_of(planned.directory)
    if done is None:
        note(f"{planned.directory / DONE} is damaged: whether the results of {planned.name} are whole cannot be told")
    for sentence in lost_history(planned.directory):
        note(f"{sentence}: the history of {planned.name} is not whole; its results are")
    if wrong := damage(planned.directory, (done or {}).get(RESULTS, {})):
        raise UserError(
            f"{wrong}. The stage {planned.name} was finished with it, and what follows would not be what it says: delete "
            f"{planned.directory} and run the same command, which makes the stage again"
        )


def check_sources(config: Config) -> None:
    """Raise unless the models and data that the run takes from finished stages of other runs are what those left."""
    data = [config.data.sft, config.data.validation, config.data.prompts]
    models = [config.model.path, *config.merge.models]
    for name in (*data, *(name for name in models if name != WORLD_BASE)):
        if name is not None and Path(name).exists():
            check_source(Path(name))


def _differences(old: object, new: object, name: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in _differences(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{name}: there {old!r}, here {new!r}"]
