"""TensorBoard: event files in `<stage>/tensorboard`, which `tensorboard --logdir runs` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.tracking.spec import TrackingSpec

FOLDER = "tensorboard"
EVENTS = "events.out.tfevents.*"


class TensorboardCopy:
    """Writes one file, flushed at every step."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # The mark of a restart: a TensorBoard that is open drops what it read of the files before.
        self.writer: Any = SummaryWriter(str(folder), purge_step=0)

    def log(self, step: int, metrics: Mapping[str, float], rollouts: list[dict[str, Any]]) -> None:
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)
        if rollouts:
            self.writer.add_text("rollouts", markdown(rollouts), step)
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def begin(folder: Path, stage: str, spec: TrackingSpec) -> TensorboardCopy:
    """The copy of the stage in `folder`, empty. Raises `ImportError` without the package."""
    for path in (folder / FOLDER).glob(EVENTS):
        path.unlink()
    return TensorboardCopy(folder / FOLDER)


def exists(folder: Path) -> bool:
    """Whether the stage in `folder` has a copy."""
    return any((folder / FOLDER).glob(EVENTS))


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table of texts that Markdown and HTML leave as they are."""

    def cell(value: Any) -> str:
        text = str("" if value is None else value)
        for sign, written in (
            ("&", "&amp;"),
            ("<", "&lt;"),
            ("|", "&#124;"),
            ("`", "&#96;"),
            ("\\", "&#92;"),
            ("*", "&#42;"),
        ):
            text = text.replace(sign, written)
        return text.replace("_", "&#95;").replace("\n", "<br>")

    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([cell(row[name]) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
