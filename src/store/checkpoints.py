"""Checkpoints that survive `kill -9` and a full disk: written aside, flushed to disk, then renamed into place.

A checkpoint is a folder `step-000040/`: `weights.safetensors` (what is trained), `optimiser.safetensors`, and
`state.json` (step, identity of the configuration, checksums of the other two, and what else the stage must remember). All randomness is a
function of (seed, step, item), so a step number is the whole state of the random numbers and of the sampler.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from src.common.checksums import damage, is_whole, sealed
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
        }
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        note = {"step": step, "identity": self.identity, "extra": extra or {}, "checksums": sums}
        files["state.json"] = json.dumps(sealed(note)).encode()
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
        steps = self.steps()
        kept = [old for old in steps if old <= step][-self.keep :]  # one of a later step was damaged, and passed over
        for old in set(steps) - set(kept):
            shutil.rmtree(self.directory / f"step-{old:06d}", ignore_errors=True)

    def steps(self) -> list[int]:
        """The steps of the checkpoints on disk, ascending. A folder without its final name is not one."""
        if not self.directory.is_dir():
            return []
        matches = (NAME.fullmatch(path.name) for path in self.directory.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def restore(self, learner: Restorable, say: Callable[[str], None] = print) -> tuple[int, dict[str, Any]]:
        """Load the newest whole checkpoint into `learner`: its step and extra state; (0, {}) if there is none. `say` is
        told of each that is damaged and so passed over: the steps since the one before are made again, to the same end.

        Raises:
            CheckpointError: the checkpoint belongs to another configuration, or its weights do not fit.
        """
        for step in reversed(self.steps()):
            folder = self.directory / f"step-{step:06d}"
            try:
                note, state = _read(folder)
            except _Damaged as error:
                say(f"{folder} is damaged ({error}): going on from what was saved before it")
                continue
            if note["identity"] != self.identity:
                raise CheckpointError(
                    f"{folder}: this checkpoint belongs to another configuration (its identity is {note['identity']}, "
                    f"this run's is {self.identity}). Run with the configuration that made it, or delete {self.directory}"
                )
            try:
                learner.load(state)
            except CheckpointError as error:
                raise CheckpointError(f"{folder}: {error}") from None
            return int(note["step"]), dict(note["extra"])
        return 0, {}


class _Damaged(Exception):
    """A checkpoint that is not what was written."""


def _read(folder: Path) -> tuple[dict[str, Any], State]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        note = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        loaded = []
        for name in ("weights.safetensors", "optimiser.safetensors"):
            if wrong := damage(folder, {name: note["checksums"][name]} if "checksums" in note else {}):
                raise _Damaged(wrong)
            loaded.append(load_file(folder / name))
        for key in ("step", "identity", "extra"):
            note[key]
        if not is_whole(note) or folder.name != f"step-{int(note['step']):06d}":
            raise _Damaged(f"{folder / 'state.json'} is not what was written")
    except (OSError, ValueError, KeyError, AttributeError, TypeError, SafetensorError) as error:
        raise _Damaged(f"{type(error).__name__}: {error}") from None
    return note, State(*loaded)
