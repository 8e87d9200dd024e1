"""Models on disk, read a few rows of a tensor at a time: folders of safetensors, whole or in shards, and LoRA adapters.

Nothing is kept open or mapped between two reads, so that what is held in memory is what was asked for.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.models.merge.base import BadMerge

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
INDEX = "model.safetensors.index.json"
HEAD = "lm_head.weight"
LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
FLOATS = ("F64", "F32", "F16", "BF16")


@dataclass(frozen=True)
class Entry:
    """A tensor and the file that holds it; `dtype` as safetensors writes it (F32, BF16, ...)."""

    file: Path
    shape: tuple[int, ...]
    dtype: str

    def read(self, name: str, rows: slice) -> Tensor:
        """Rows of the tensor in its own dtype; all of one without dimensions."""
        with _opened(self.file) as handle:
            values: Tensor = handle.get_slice(name)[rows] if self.shape else handle.get_tensor(name)
            return values


@dataclass(frozen=True)
class Checkpoint:
    """A full model: its `config.json` and tensors. A head that is tied to the embedding is no tensor of its own."""

    folder: Path
    config: Mapping[str, Any]
    entries: Mapping[str, Entry]

    @staticmethod
    def of(folder: Path) -> Checkpoint:
        """The model in `folder`; of its weights the headers alone are read.

        Raises:
            BadMerge: it holds no safetensors, a shard is missing, or one is cut off.
        """
        config = _json(folder / "config.json")
        entries: dict[str, Entry] = {}
        for file in _files(folder):
            for name, entry in headers(file).items():
                if name in entries:
                    raise BadMerge(f"{folder}: a tensor must be in one file; {name} is in {file.name}, too. Remove one")
                entries[name] = entry
        if config.get("tie_word_embeddings"):
            entries.pop(HEAD, None)
        return Checkpoint(folder, config, entries)

    @property
    def layers(self) -> int:
        """The number of layers: one more than the highest in the names of the tensors."""
        return 1 + max((layer for layer in map(layer_of, self.entries) if layer is not None), default=-1)

    def rows(self, name: str, rows: slice) -> Tensor:
        """Rows of a tensor, float64."""
        return self.entries[name].read(name, rows).double()


@dataclass(frozen=True)
class Adapter:
    """LoRA adapters on a base, read as the full model that they make: W + scale B A, never A and B apart."""

    folder: Path
    base: Checkpoint
    pairs: Mapping[str, tuple[Tensor, Tensor]]  # name of the weight -> A [r, in], B [out, r], both float64
    scales: Mapping[str, float]

    @staticmethod
    def of(folder: Path, base: Checkpoint) -> Adapter:
        """The adapters in `folder` on `base`.

        Raises:
            BadMerge: they are more than plain LoRA, or do not fit the base.
        """
        config = _json(folder / ADAPTER_CONFIG)
        _check_plain(folder, config)
        stored = headers(folder / ADAPTER_WEIGHTS)
        halves: dict[str, dict[str, Tensor]] = {}
        for key, entry in stored.items():
            match = re.fullmatch(r"(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.default)?\.weight", key)
            if match is None:
                raise BadMerge(
                    f"{folder}: adapters must be LoRA on linear layers and nothing else; got {key}. Fold them into a full "
                    "model with peft's merge_and_unload, and merge that"
                )
            halves.setdefault(f"{match[1]}.weight", {})[match[2]] = entry.read(key, slice(None)).double()
        pairs, scales = {}, {}
        for name, half in halves.items():
            if half.keys() != {"A", "B"} or name not in base.entries:
                what = "both A and B" if name in base.entries else "a weight of the base under it"
                raise BadMerge(
                    f"{folder}: an adapter must have {what}; {name} has none. Check that {base.folder} is its base"
                )
            shape = (half["B"].shape[0], half["A"].shape[1])
            if base.entries[name].shape != shape or half["A"].shape[0] != half["B"].shape[1]:
                raise BadMerge(
                    f"{folder}: an adapter must have the shape of its weight; {name} has {base.entries[name].shape} in "
                    f"{base.folder}, and B A has {shape}. Give the base that it was trained on: merge.base=<folder>"
                )
            pairs[name] = (half["A"], half["B"])
            scales[name] = _scale(config, name.removesuffix(".weight"), len(half["A"]))
        return Adapter(folder, base, pairs, scales)

    @property
    def config(self) -> Mapping[str, Any]:
        return self.base.config

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self.base.entries

    @property
    def layers(self) -> int:
        return self.base.layers

    def rows(self, name: str, rows: slice) -> Tensor:
        """Rows of the full model's tensor, float64."""
        whole = self.base.rows(name, rows)
        if name in self.pairs:
            a, b = self.pairs[name]
            whole.addmm_(b[rows], a, alpha=self.scales[name])
        return whole


Model = Checkpoint | Adapter


def layer_of(name: str) -> int | None:
    """The layer that a tensor belongs to; None for the embedding, the last norm and the head."""
    match = LAYER.search(name)
    return int(match[1]) if match else None


def headers(file: Path) -> dict[str, Entry]:
    """The tensors of one file."""
    with _opened(file) as handle:
        slices = {name: handle.get_slice(name) for name in handle.keys()}  # noqa: SIM118 - not a mapping
        return {name: Entry(file, tuple(part.get_shape()), part.get_dtype()) for name, part in slices.items()}


def _files(folder: Path) -> list[Path]:
    index = folder / INDEX
    if index.is_file():
        return sorted({folder / name for name in _json(index)["weight_map"].values()})
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BadMerge(
            f"{folder}: a model to merge must hold its weights as .safetensors; there are none. Load it with transformers "
            "and save it again"
        )
    return files


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as handle:
            yield handle
    except FileNotFoundError:
        raise BadMerge(f"{file}: a shard of a model must be there; it is not. Copy the folder again") from None
    except SafetensorError as error:
        raise BadMerge(f"{file}: a file of weights must be whole; it is damaged ({error}). Copy it again") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise BadMerge(f"{path}: must be JSON that can be read; got {error}") from None


def _check_plain(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse adapters that are not W + scale B A."""
    for key, plain in (("peft_type", ("LORA",)), ("use_dora", (None, False)), ("fan_in_fan_out", (None, False))):
        if config.get(key) not in plain:
            raise BadMerge(
                f"{folder}: {key} of adapters to merge must be {plain[-1]}, for they are added as scale x B A; got "
                f"{config.get(key)!r}. Fold them into a full model with peft's merge_and_unload, and merge that"
            )


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """alpha / r of one module (alpha / sqrt(r) of rank-stabilised LoRA), with its own alpha where it has one."""
    alpha = float(config["lora_alpha"])
    for pattern, own in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            alpha = float(own)
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
