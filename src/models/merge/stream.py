"""Merging tensor by tensor, a few rows at a time, straight into the files of the merged model.

What is held is a chunk of every model in float64, whatever the size of the tensors, so the peak does not grow with the model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from src.models.merge.base import BadMerge, Chunk, Place, Rule
from src.models.merge.checkpoint import DTYPES, FLOATS, INDEX, Entry, Model, layer_of

ELEMENTS_AT_ONCE = 2**18  # 2 MiB of float64
SHARD_BYTES = 5 * 10**9  # as transformers has it


class Chunks:
    """The rows of one tensor, chunk by chunk, as often as they are gone through."""

    def __init__(self, name: str, models: Sequence[Model], base: Model | None) -> None:
        self.name = name
        self.models = models
        self.base = base

    def __iter__(self) -> Iterator[Chunk]:
        for rows in row_slices(self.models[0].entries[self.name].shape):
            base = None if self.base is None else self._rows(self.base, rows)
            yield Chunk(base, [self._rows(model, rows) for model in self.models])

    def _rows(self, model: Model, rows: slice) -> Tensor:
        values = model.rows(self.name, rows)
        if not values.isfinite().all():
            raise BadMerge(
                f"{model.folder}: weights to merge must be finite; {self.name} holds NaN or infinity. Leave this model out, or "
                "make it again"
            )
        return values


def row_slices(shape: tuple[int, ...]) -> Iterator[slice]:
    """The first dimension in pieces of about `ELEMENTS_AT_ONCE` numbers; one piece where there is none."""
    if not shape:
        yield slice(None)
        return
    width = 1
    for size in shape[1:]:
        width *= size
    step = max(1, ELEMENTS_AT_ONCE // max(1, width))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def write_merged(
    rule: Rule,
    models: Sequence[Model],
    base: Model | None,
    folder: Path,
    advance: Callable[[int, str], None],
    shard: int = SHARD_BYTES,
) -> None:
    """Write `model.safetensors`, or shards of at most `shard` bytes with their index, into `folder`. `advance(1, name)` is
    called after each tensor.

    Raises:
        BadMerge: weights are not finite, or tensors that are no numbers to average differ.
    """
    entries = models[0].entries
    layers = models[0].layers
    files = _shards(entries, shard)
    for file, names in files.items():
        with (folder / file).open("wb") as handle:
            _write_header(handle, names, entries)
            for name in names:
                if entries[name].dtype in FLOATS:
                    place = Place(name, layer_of(name), layers)
                    chunks = rule.merged(place, Chunks(name, models, base if rule.needs_base else None))
                    dtype = DTYPES[entries[name].dtype]
                    for chunk in chunks:
                        _write(handle, _rounded(chunk, dtype, name))
                else:
                    for rows in row_slices(entries[name].shape):
                        _write(handle, _same(name, rows, models))
                advance(1, name)
    if len(files) > 1:
        sizes = sum(_bytes(entry) for entry in entries.values())
        index = {
            "metadata": {"total_size": sizes},
            "weight_map": {name: file for file, names in files.items() for name in names},
        }
        (folder / INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _rounded(values: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    rounded = values.to(dtype)
    if not rounded.isfinite().all():
        raise BadMerge(
            f"merged weights must be finite in {str(dtype).removeprefix('torch.')}; {name} is not. Use smaller merge.weights or "
            "merge.scale"
        )
    return rounded


def _same(name: str, rows: slice, models: Sequence[Model]) -> Tensor:
    """Rows of a buffer, which cannot be averaged."""
    first, *others = (model.entries[name].read(name, rows) for model in models)
    if any(not torch.equal(first, other) for other in others):
        raise BadMerge(
            f"tensors that are no floating-point numbers must be equal in all models to merge; {name} "
            f"({models[0].entries[name].dtype}) differs. Merge models of one base"
        )
    return first


def _shards(entries: Mapping[str, Entry], limit: int) -> dict[str, list[str]]:
    """File -> its tensors, a function of names, shapes and dtypes alone; wide numbers first, so that all are aligned."""
    order = sorted(entries, key=lambda name: (-DTYPES[entries[name].dtype].itemsize, name))
    groups: list[list[str]] = [[]]
    size = 0
    for name in order:
        if groups[-1] and size + _bytes(entries[name]) > limit:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += _bytes(entries[name])
    if len(groups) == 1:
        return {"model.safetensors": groups[0]}
    return {f"model-{n:05d}-of-{len(groups):05d}.safetensors": group for n, group in enumerate(groups, 1)}


def _bytes(entry: Entry) -> int:
    count = DTYPES[entry.dtype].itemsize
    for size in entry.shape:
        count *= size
    return count


def _write_header(handle: IO[bytes], names: Sequence[str], entries: Mapping[str, Entry]) -> None:
    """The length of the header in 8 bytes, then the header, as safetensors specifies."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in names:
        begin, end = end, end + _bytes(entries[name])
        header[name] = {"dtype": entries[name].dtype, "shape": list(entries[name].shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    handle.write(len(text).to_bytes(8, "little") + text)


def _write(handle: IO[bytes], values: Tensor) -> None:
    handle.write(values.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
