"""`python -m src.stages.schedules`: draw every schedule of `conf/schedule/` into docs/schedules.png (`make schedules`)."""

from __future__ import annotations

from pathlib import Path

from src import config as configuration
from src.algorithm.schedules.base import Schedule

PICTURE = configuration.CONF.parent / "docs" / "schedules.png"


def main(path: Path = PICTURE) -> None:
    """Write the picture to `path`."""
    from src.reporting.schedules import overview

    overview(composed(), path)
    print(path)


def composed() -> dict[str, Schedule]:
    """Name of each yaml of `conf/schedule/` -> the schedule with its values."""
    from hydra import compose, initialize_config_dir

    configuration.register()
    found = {}
    with initialize_config_dir(str(configuration.CONF), version_base="1.3"):
        for name in configuration.choices("schedule"):
            node = compose("config", overrides=["+experiment=adamame_grpo", f"schedule={name}"])
            found[name] = configuration.build(node).schedule
    return found


if __name__ == "__main__":
    main()
