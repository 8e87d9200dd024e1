"""The help of `python -m src.run`, with the choices that there are in `conf/`."""

from __future__ import annotations

from src.common.registry import choices

GROUPS = ("experiment", "scale", "world", "benchmark", "objective", "schedule", "reward", "merge", "cluster")
USAGE = """\
One run of the AdaMame repository.

  python -m src.run +experiment=<name> [scale=<name>] [key=value ...]

{groups}

--cfg job --resolve shows the whole configuration; the same command again resumes or shows the result.
"""


def usage() -> str:
    """The page that `--help` prints."""
    return USAGE.format(groups="\n".join(f"{group + 's:':13} {', '.join(choices(group))}" for group in GROUPS))
