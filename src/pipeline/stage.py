"""What every stage is given: its configuration, folder, ranks and the model it starts from."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from src.config.schema import Config
from src.store.checkpoints import Checkpoints
from src.store.directory import CHECKPOINTS, DONE, MODEL, SHARED

if TYPE_CHECKING:
    from src.distributed.ranks import Ranks
    from src.pipeline.preflight.look import Look
    from src.tracking.tracker import Tracker


@dataclass(frozen=True)
class Declaration:
    """What the pipeline knows of a stage before it runs.

    `inputs` are the settings, as dotted keys, that its result depends on beside the model it starts from and the stages
    before it. A result that is `scored` depends on the scoring rule and the versions of what it rests on, too; one that puts
    `prompts` to a model, or learns what follows them, depends on the chat template. `model`: whether the run needs a model
    for it; `makes_model`: whether it leaves one in `model/`, from which the next stage starts. `split`: whether ranks share
    its work.
    """

    inputs: tuple[str, ...]
    scored: bool = False
    prompts: bool = False
    model: bool = True
    makes_model: bool = False
    split: bool = True


class StageModule(Protocol):
    """A module of `src/stages/`: the one plug-in point, found by the name of the stage."""

    def declare(self, config: Config) -> Declaration:
        """What the pipeline must know of the stage in a run with this configuration."""

    def preflight(self, look: Look) -> None:
        """Say what would end the stage, or what comes of it, and can be known before the first stage of the run starts."""

    def run(self, stage: Stage) -> None:
        """Do the work, from where an earlier attempt stopped."""


def module_of(name: str) -> StageModule:
    """The module of the stage `name`, `src/stages/<name>.py`."""
    return cast(StageModule, importlib.import_module(f"src.stages.{name}"))


@dataclass(frozen=True)
class Planned:
    """A stage and where it works. `identity` hashes everything its result depends on."""

    name: str
    directory: Path
    identity: str
    inputs: dict[str, Any]  # what was hashed, for error messages and the record
    model: str  # folder or hub name of the model it starts from
    split: bool = True  # whether ranks share its work

    @property
    def result(self) -> Path:
        """The model folder that a training stage leaves behind."""
        return self.directory / MODEL

    @property
    def finished(self) -> bool:
        return (self.directory / DONE).is_file()


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
        return Checkpoints(self.directory / CHECKPOINTS, self.planned.identity, self.config.checkpoint.keep)

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
