"""One run: `python -m src.run +experiment=adamame_grpo [key=value ...]`. The same command again resumes it."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.common.console import FULL, carry_out, fail
from src.common.errors import UserError
from src.common.files import replace_durably
from src.config.checks import check
from src.config.compose import Composition, build, register
from src.config.debug import smallest
from src.config.directory import run_directory
from src.config.explain import explain
from src.config.paths import readable
from src.config.schema import Config
from src.config.usage import usage
from src.distributed.environment import launch_environment
from src.distributed.spawn import PARENT, die_with_parent
from src.pipeline.heartbeat import mark_running
from src.pipeline.memory import check_memory
from src.store.directory import CONFIG, OVERRIDES, PREVIEW

FAILED: list[tuple[str, str]] = []  # runs of a -m that ended badly, and why: the others go on


@hydra.main(version_base="1.3", config_path="../conf", config_name="config")
def hydra_main(node: DictConfig) -> None:
    """What Hydra calls with the composed configuration; a user's mistake ends the process here, without its trace."""
    several = HydraConfig.get().mode == RunMode.MULTIRUN
    try:
        run(node)
        return
    except UserError as error:
        if launch_environment().rank:  # what ends all ranks the first one says, and this one is ended meanwhile
            time.sleep(2)
        message = str(error)
    except OSError as error:
        if error.errno not in FULL:
            raise
        message = f"the disk is full ({error.filename}). Make room, then give the same command again: it resumes"
    except Exception as error:
        if not several:
            raise
        traceback.print_exc()
        message = f"{type(error).__name__}: {error}"
    code = fail(message)
    if not several:
        sys.exit(code)
    FAILED.append((" ".join(HydraConfig.get().overrides.task), message))


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
    from src.pipeline.preflight.run import preflight
    from src.stages.report import show

    resolved = directory / CONFIG
    if launch_environment().rank:
        run_other_rank(config, directory, resolved)
    texts = {
        resolved: OmegaConf.to_yaml(node, resolve=True),
        directory / OVERRIDES: "".join(f"{text}\n" for text in job.overrides.task),
    }
    for path, text in texts.items():
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
            replace_durably(path, text.encode())  # whole at any moment: the ranks of a run read it
    print(f"{config.method}, seed {config.seed}: {', '.join(config.stages)}, in {directory}", flush=True)
    if line := check_memory(config):
        print(line, flush=True)
    with mark_running(directory):
        if line := preflight(config, directory):
            print(line, flush=True)
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
    sys.exit(carry_out(_main))


def _main() -> int:
    die_with_parent()  # of a pool that is killed
    os.environ.pop(PARENT, None)  # of whom this process starts, it is not the parent
    if "--help" in sys.argv[1:] or "-h" in sys.argv[1:]:
        print(usage())
        return 0
    several = bool({"-m", "--multirun"} & set(sys.argv[1:]))
    sys.argv[1:] = [readable(text, several) for text in smallest(sys.argv[1:])]
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us instead of ending the process
    from src.orchestration.cluster import plugin

    try:
        plugin.register()
        register()
        hydra_main()
    except (HydraException, OmegaConfBaseException) as error:
        return fail(explain(error))
    for overrides, message in FAILED:
        print(f"failed: {overrides}\n  {message}", file=sys.stderr)
    return int(bool(FAILED))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
