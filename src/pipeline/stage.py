"""What every stage is given: its configuration, folder, ranks and the model it starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.config.schema import Config
from src.store.checkpoints import Checkpoints
from src.store.directory import SHARED

if TYPE_CHECKING:
    from src.distributed.ranks import Ranks
    from src.tracking.tracker import Tracker


@dataclass(frozen=True)
class Planned:
    """A stage and where it works. `identity` hashes everything its result depends on."""

    name: str
    directory: Path
    identity: str
    inputs: dict[str, Any]  # what was hashed, for error messages and the record
    model: str  # folder or hub name of the model it starts from

    @property
    def result(self) -> Path:
        """The model folder that a training stage leaves behind."""
        return self.directory / "model"

    @property
    def finished(self) -> bool:
        return (self.directory / "done.json").is_file()


@dataclass(frozen=True)
class Stage:
    """A planned stage on one of its ranks."""

    config: Config
    planned: Planned
    ranks: Ranks

    @property
    def directory(self) -> Path:
        return self.planned.directory

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.directory / "checkpoints", self.planned.identity, self.config.checkpoint.keep)

    @property
    def last(self) -> bool:
        """Whether no stage of the run comes after this one."""
        return self.planned.name == self.config.stages[-1]

    def tracker(self) -> Tracker | None:
        """Where the metrics of a training stage go; None on ranks that log nothing."""
        if not self.ranks.main:
            return None
        from src.tracking.tracker import Tracker

        if self.planned.name in SHARED:
            return Tracker(self.directory, self.planned.name, self.config.tracking)
        return Tracker(self.directory, self.planned.name, self.config.tracking, self.directory.parent, self.last)

    @contextmanager
    def progress(self, total: int, unit: str, start: int = 0) -> Iterator[Callable[..., None]]:
        """A progress bar with ETA on the main rank; `advance(count, note)` on the others does nothing."""
        if not self.ranks.main:
            yield lambda *_, **__: None
            return
        from src.tracking.progress import Progress

        with Progress(total, f"{self.config.method} {self.planned.name}", unit, start, self.directory) as bar:
            yield bar.advance
