"""What a run will hold in memory: `python -m src memory +experiment=<name> scale=<name> [key=value ...]`.

No files of data are needed, and without an experiment it is GRPO: `python -m src memory scale=distill_7b`.
The formulas are those of `src.models.memory`. A run prints the line of its largest stage, and does not start when that
cannot fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from src.commands.base import show_of_config
from src.config.schema import Config
from src.models.memory import GB, items, total
from src.pipeline.memory import capacity, expected, ranks_sharing, shape_of, stages, work


def table(config: Config) -> str:
    """The tensors of each stage, the largest first, and what there is room for."""
    shape = shape_of(config)
    if shape is None:
        return f"{config.model.path}: the sizes of this model are not known here; give model.path a folder"
    room, where = capacity(config)
    lines = []
    for name in stages(config):
        tensors = sorted(items(shape, work(config, name)), key=lambda item: -item.size)
        lines += [
            f"{name}: {total(tensors) / GB:.1f} GB for each rank; {expected(total(tensors), config, where) / GB:.1f} GB in all",
            "  GB      held         what, and what changes it",
        ]
        lines += [f"  {item.size / GB:7.2f} {item.held:<12} {item.name}: {item.setting}" for item in tensors]
    return "\n".join([*lines, f"room: {room / GB:.1f} GB ({where}), ranks on it: {ranks_sharing(config, where)}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    return show_of_config(table, arguments, __doc__ or "", files=False)
