"""Draw every schedule of `conf/schedule/` into docs/schedules.png: `python -m src schedules`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from src.algorithm.schedules.base import Schedule
from src.common.registry import CONF, choices
from src.config.compose import composed

PICTURE = CONF.parent / "docs" / "schedules.png"


def draw(path: Path = PICTURE) -> None:
    """Write the picture to `path`."""
    from src.reporting.schedules import overview

    overview(every_yaml(), path)
    print(path)


def every_yaml() -> dict[str, Schedule]:
    """Name of each yaml of `conf/schedule/` -> the schedule with its values."""
    return {name: composed(["+experiment=adamame_grpo", f"schedule={name}"]).schedule for name in choices("schedule")}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    argparse.ArgumentParser(prog="python -m src schedules", description=__doc__).parse_args(arguments)
    draw()
    return 0
