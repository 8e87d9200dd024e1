"""Checkpoints that survive `kill -9` and a full disk: written aside, flushed to disk, then renamed into place.

A checkpoint is a folder `step-000040/`: `weights.safetensors` (what is trained), `optimiser.safetensors`, and
`state.json` (step, identity of the configuration, and what else the stage must remember). All randomness is a
function of (seed, step, item), so a step number is the whole state of the random numbers and of the sampler.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from src.errors import UserError

NAME = re.compile(r"step-(\d{6})")


class CheckpointError(UserError):
    """A checkpoint cannot be written or used; the message states the rule, the value and the fix."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one stage. `identity` is a hash of what they depend on: others are refused."""

    directory: Path
    identity: str
    keep: int = 2

    def save(
        self, step: int, model: nn.Module, optimiser: torch.optim.Optimizer, extra: dict[str, Any] | None = None
    ) -> None:
        """Write the checkpoint of `step` (steps finished), then drop all but the last `keep`.

        Raises:
            CheckpointError: the disk is full. Earlier checkpoints are untouched.
        """
        from safetensors.torch import save

        final = self.directory / f"step-{step:06d}"
        temporary = self.directory / f".{final.name}.partial"
        named = trained(model)
        files = {
            "weights.safetensors": save({name: p.detach().contiguous() for name, p in named.items()}),
            "optimiser.safetensors": save(_flatten(optimiser, named)),
            "state.json": json.dumps({"step": step, "identity": self.identity, "extra": extra or {}}).encode(),
        }
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            for name, content in files.items():
                write_durably(temporary / name, content)
            _flush_folder(temporary)
            shutil.rmtree(final, ignore_errors=True)
            os.replace(temporary, final)
            _flush_folder(self.directory)
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

    def restore(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[int, dict[str, Any]]:
        """Load the newest checkpoint into model and optimiser: its step and extra state; (0, {}) if none.

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
        named = trained(model)
        weights = load_file(folder / "weights.safetensors")
        if weights.keys() != named.keys():
            odd = sorted(weights.keys() ^ named.keys())[:3]
            raise CheckpointError(f"{folder}: its weights do not fit the model; they differ in {', '.join(odd)}")
        with torch.no_grad():
            for name, parameter in named.items():
                parameter.copy_(weights[name])
        _unflatten(optimiser, named, load_file(folder / "optimiser.safetensors"))
        return int(state["step"]), dict(state["extra"])


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name -> parameter of what is trained, in a fixed order."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and have the system put it on disk before returning."""
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Replace a file in one step: a reader, or a run after a crash, sees the old or the new content."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(temporary, content)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise explain(error, path, len(content)) from error


def explain(error: OSError, path: Path, size: int) -> CheckpointError:
    """An operating-system error while writing, as one that tells what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        rule = f"the disk is full: {path} needs {size / 1e6:.1f} MB"
    else:
        rule = f"{path} could not be written ({error.strerror or error})"
    return CheckpointError(
        f"{rule}. Nothing written earlier is lost. Make room, then run the same command again: it resumes from "
        "the last complete checkpoint"
    )


def _flatten(optimiser: torch.optim.Optimizer, named: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    flat = {}
    for name, parameter in named.items():
        for key, value in optimiser.state.get(parameter, {}).items():
            flat[f"{name}|{key}"] = torch.as_tensor(value).detach().contiguous()
    return flat


def _unflatten(optimiser: torch.optim.Optimizer, named: dict[str, nn.Parameter], flat: dict[str, Tensor]) -> None:
    for key, value in flat.items():
        name, part = key.rsplit("|", 1)
        parameter = named[name]
        held = value.to(parameter.device) if value.dim() else value
        optimiser.state[parameter][part] = held


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
