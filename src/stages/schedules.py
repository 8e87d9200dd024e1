"""`python -m src.stages.schedules`: draw every schedule of `conf/schedule/` into docs/schedules.png (`make schedules`)."""

from __future__ import annotations

from pathlib import Path

from src.algorithm.schedules.base import Schedule
from src.common.registry import CONF, choices
from src.config.compose import composed

PICTURE = CONF.parent / "docs" / "schedules.png"


def main(path: Path = PICTURE) -> None:
    """Write the picture to `path`."""
    from src.reporting.schedules import overview

    overview(every_yaml(), path)
    print(path)


def every_yaml() -> dict[str, Schedule]:
    """Name of each yaml of `conf/schedule/` -> the schedule with its values."""
    return {name: composed(["+experiment=adamame_grpo", f"schedule={name}"]).schedule for name in choices("schedule")}


if __name__ == "__main__":
    main()
