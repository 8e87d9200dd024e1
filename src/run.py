"""One run: `python -m src.run +experiment=adamame_grpo [key=value ...]`. The same command again resumes it."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.common.console import fail
from src.common.errors import UserError
from src.config.checks import check
from src.config.compose import Composition, build, register
from src.config.directory import run_directory
from src.config.explain import explain
from src.config.schema import Config
from src.config.usage import usage
from src.distributed.environment import launch_environment
from src.distributed.spawn import PARENT, die_with_parent
from src.pipeline.heartbeat import mark_running
from src.pipeline.memory import check_memory
from src.store.directory import CONFIG, OVERRIDES, PREVIEW


@hydra.main(version_base="1.3", config_path="../conf", config_name="config")
def hydra_main(node: DictConfig) -> None:
    """What Hydra calls with the composed configuration; a user's mistake ends the process here, without its trace."""
    try:
        run(node)
    except UserError as error:
        sys.exit(fail(str(error)))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit(fail(f"the disk is full ({error.filename}). Make room, then give the same command again: it resumes"))


def run(node: DictConfig) -> None:
    """Check, carry out and show one run."""
    config = build(node)
    check(config)
    job = HydraConfig.get()
    directory = run_directory(Composition(node, job.runtime.choices.get("experiment")))
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"root must be a folder that can be written to; got {config.root} ({error.strerror})") from None
    if config.report.schedule_preview:
        print(draw_schedule(config, directory / PREVIEW))
        return
    from src.pipeline.execute import execute
    from src.stages.report import show

    resolved = directory / CONFIG
    if launch_environment().rank:
        run_other_rank(config, directory, resolved)
    OmegaConf.save(node, resolved, resolve=True)
    (directory / OVERRIDES).write_text("".join(f"{text}\n" for text in job.overrides.task), encoding="utf-8")
    if line := check_memory(config):
        print(line, flush=True)
    with mark_running(directory):
        if not execute(config, directory, resolved):
            print(f"{directory} is finished; this is its result. Delete the folder to run it again.")
    show(directory)
    if launch_environment().shared:
        from src.distributed.ranks import shutdown_ranks

        shutdown_ranks()


def run_other_rank(config: Config, directory: Path, resolved: Path) -> NoReturn:
    """What a rank does that is not the first of those started together: its share of the work, and nothing else."""
    from src.distributed.ranks import shutdown_ranks
    from src.pipeline.execute import execute

    execute(config, directory, resolved)
    shutdown_ranks()


def draw_schedule(config: Config, path: Path) -> Path:
    """Draw the schedule of the run to `path`."""
    from src.reporting.schedules import preview

    title = f"{config.method}: schedule={HydraConfig.get().runtime.choices['schedule']}"
    preview(config.schedule, config.objective.advantage, title, config.grpo.steps, path)
    return path


def main() -> None:
    """The command line. A mistake in it ends with code 2 and one message instead of a stack trace."""
    die_with_parent()  # of a pool that is killed
    os.environ.pop(PARENT, None)  # of whom this process starts, it is not the parent
    if "--help" in sys.argv[1:] or "-h" in sys.argv[1:]:
        print(usage())
        return
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us instead of ending the process
    from src.orchestration.cluster import plugin

    try:
        plugin.register()
        register()
        hydra_main()
    except UserError as error:  # of a command whose runs go to a cluster
        sys.exit(fail(str(error)))
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(fail(explain(error)))
    except KeyboardInterrupt:
        sys.exit(fail("interrupted; the same command again resumes"))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
