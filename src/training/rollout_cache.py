"""Rollouts waiting for their update, on disk: an interrupted step does not sample again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from src.common.files import replace_durably
from src.rollout.engines.base import Rollout


@dataclass(frozen=True)
class RolloutCache:
    """The rollouts of one rank for one call of the engine in a round of the step it is in."""

    path: Path

    @staticmethod
    def of(directory: Path, rank: int, size: int, number: int, call: int = 0) -> RolloutCache:
        """The file of a rank for a call in a round: a step with several keeps all of them until the next step's replace
        them."""
        later = (f"-round-{number}" if number else "") + (f"-call-{call}" if call else "")
        return RolloutCache(directory / f"pending-{rank}-of-{size}{later}.safetensors")

    def save(self, identity: str, step: int, number: int, groups: list[list[Rollout]]) -> None:
        """Replace what was kept by the rollouts of this round of `step`."""
        from safetensors.torch import save

        rows = [rollout for group in groups for rollout in group]
        tensors = {
            "sizes": torch.tensor([len(row.tokens) for row in rows]),
            "groups": torch.tensor([len(group) for group in groups]),
            "truncated": torch.tensor([row.truncated for row in rows]),
            "tokens": torch.tensor([token for row in rows for token in row.tokens], dtype=torch.int32),
            "logprobs": torch.cat([row.logprobs for row in rows]) if rows else torch.zeros(0),
        }
        replace_durably(self.path, save(tensors, _label(identity, step, number) | {"checksum": _checksum(tensors)}))

    def load(self, identity: str, step: int, number: int) -> list[list[Rollout]] | None:
        """The rollouts kept for this round of `step` of this configuration; None, too, where the file is damaged: they are
        sampled again, and are the same."""
        from safetensors import SafetensorError, safe_open

        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                noted = dict(file.metadata() or {})
                wanted = noted.pop("checksum", None)
                if noted != _label(identity, step, number):
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        except (SafetensorError, OSError, ValueError):
            return None
        if wanted != _checksum(tensors):
            return None
        sizes = tensors["sizes"].tolist()
        rows = [
            Rollout(tokens.tolist(), logprobs.clone(), cut)
            for tokens, logprobs, cut in zip(
                tensors["tokens"].split(sizes),
                tensors["logprobs"].split(sizes),
                tensors["truncated"].tolist(),
                strict=True,
            )
        ]
        groups = []
        position = 0
        for count in tensors["groups"].tolist():
            groups.append(rows[position : position + count])
            position += count
        return groups


def _checksum(tensors: Mapping[str, torch.Tensor]) -> str:
    sums = hashlib.sha256()
    for name in sorted(tensors):
        sums.update(f"{name} {tuple(tensors[name].shape)}".encode() + tensors[name].contiguous().numpy().tobytes())
    return sums.hexdigest()


def _label(identity: str, step: int, number: int) -> dict[str, str]:
    return {"identity": identity, "step": str(step), "round": str(number)}
