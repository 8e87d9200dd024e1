"""One rank of one stage: `python -m src.pipeline.worker <config.yaml> <run directory> <stage>` under the launcher."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from src.common.console import show_every_sign
from src.common.errors import UserError
from src.config.compose import build, register
from src.distributed.spawn import die_with_parent, leave_error
from src.pipeline.execute import run_stage
from src.pipeline.plan import plan
from src.pipeline.stage import Stage


def main(config_file: str, run_directory: str, name: str) -> None:
    die_with_parent()
    from src.distributed.ranks import init_ranks, shutdown_ranks

    register()
    node = OmegaConf.load(config_file)
    assert isinstance(node, DictConfig)
    config = build(node)
    (planned,) = (stage for stage in plan(config, Path(run_directory)) if stage.name == name)
    ranks = init_ranks(config.distributed)
    run_stage(Stage(config, planned, ranks))
    shutdown_ranks()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the launcher's to handle
    show_every_sign()
    try:
        main(*sys.argv[1:])
    except UserError as error:
        if int(os.environ.get("RANK", "0")):  # what stops all ranks rank 0 says, and this one is ended meanwhile
            time.sleep(2)
        if not leave_error(str(error)):
            print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
