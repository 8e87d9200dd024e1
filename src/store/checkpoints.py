"""Checkpoints that survive `kill -9` and a full disk: written aside, flushed to disk, then renamed into place.

A checkpoint is a folder `step-000040/`: `weights.safetensors` (what is trained), `optimiser.safetensors`, and
`state.json` (step, identity of the configuration, and what else the stage must remember). All randomness is a
function of (seed, step, item), so a step number is the whole state of the random numbers and of the sampler.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from src.common.files import CheckpointError, explain, flush_folder, write_durably

if TYPE_CHECKING:
    from torch import Tensor

NAME = re.compile(r"step-(\d{6})")


class Restorable(Protocol):
    """What goes on from a checkpoint."""

    def load(self, state: State) -> None:
        """Take over `state`; raises `CheckpointError` where its weights are not those that are trained."""


@dataclass(frozen=True)
class State:
    """What is trained and the optimiser's moments of it, whole on every rank, however they are split while training.

    `moments` are named `<name of the weight>|<moment>`: `exp_avg` and `exp_avg_sq` of its shape, and `step`, a number.
    """

    weights: dict[str, Tensor]
    moments: dict[str, Tensor]

    def check_fits(self, names: Iterable[str]) -> None:
        """Raise `CheckpointError` unless the weights are those called `names`."""
        if different := sorted(self.weights.keys() ^ set(names)):
            raise CheckpointError(f"its weights do not fit the model; they differ in {', '.join(different[:3])}")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one stage. `identity` is a hash of what they depend on: others are refused."""

    directory: Path
    identity: str
    keep: int = 2

    def save(self, step: int, state: State, extra: dict[str, Any] | None = None) -> None:
        """Write the checkpoint of `step` (steps finished), then drop all but the last `keep`.

        Raises:
            CheckpointError: the disk is full. Earlier checkpoints are untouched.
        """
        from safetensors.torch import save

        final = self.directory / f"step-{step:06d}"
        temporary = self.directory / f".{final.name}.partial"
        files = {
            "weights.safetensors": save({name: value.contiguous() for name, value in state.weights.items()}),
            "optimiser.safetensors": save({name: value.contiguous() for name, value in state.moments.items()}),
            "state.json": json.dumps({"step": step, "identity": self.identity, "extra": extra or {}}).encode(),
        }
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            for name, content in files.items():
                write_durably(temporary / name, content)
            flush_folder(temporary)
            shutil.rmtree(final, ignore_errors=True)
            os.replace(temporary, final)
            flush_folder(self.directory)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise explain(error, final, sum(map(len, files.values()))) from error
        for old in self.steps()[: -self.keep]:
            shutil.rmtree(self.directory / f"step-{old:06d}", ignore_errors=True)

    def steps(self) -> list[int]:
        """The steps of the checkpoints on disk, ascending. A folder without its final name is not one."""
        if not self.directory.is_dir():
            return []
        matches = (NAME.fullmatch(path.name) for path in self.directory.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def restore(self, learner: Restorable) -> tuple[int, dict[str, Any]]:
        """Load the newest checkpoint into `learner`: its step and extra state; (0, {}) if none.

        Raises:
            CheckpointError: the checkpoint belongs to another configuration, or its weights do not fit.
        """
        from safetensors.torch import load_file

        steps = self.steps()
        if not steps:
            return 0, {}
        folder = self.directory / f"step-{steps[-1]:06d}"
        state = json.loads((folder / "state.json").read_text())
        if state["identity"] != self.identity:
            raise CheckpointError(
                f"{folder}: this checkpoint belongs to another configuration (its identity is {state['identity']}, "
                f"this run's is {self.identity}). Run with the configuration that made it, or delete {self.directory}"
            )
        try:
            learner.load(State(load_file(folder / "weights.safetensors"), load_file(folder / "optimiser.safetensors")))
        except CheckpointError as error:
            raise CheckpointError(f"{folder}: {error}") from None
        return int(state["step"]), dict(state["extra"])
