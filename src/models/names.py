"""The names that weights have in files: those of the file that a model was read from.

In memory transformers has other names and shapes: the experts of a layer are one tensor there, and a tensor each on disk. What
reads files (vLLM, older versions of transformers, other programs) knows the latter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

LAYER = re.compile(r"^(.*?\.\d+)\.")  # conversions stay within a layer


def in_files(plain: Any, weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """(name, tensor) of `weights`, those of the plain transformers model `plain`, as they are in files; a layer at a time,
    so that one is held twice and not all."""
    from transformers.core_model_loading import revert_weight_conversion

    parts: dict[str, list[str]] = {}
    for name in weights:
        layer = LAYER.match(name)
        parts.setdefault(layer[1] if layer else name, []).append(name)
    for names in parts.values():
        yield from revert_weight_conversion(plain, {name: weights[name] for name in names}).items()


def untied(weights: Mapping[str, Tensor], held: Mapping[str, tuple[str, Tensor]]) -> list[str]:
    """The names of `weights` without those of a tensor that has come before: a head that is tied to the embedding."""
    seen: set[int] = set()
    names = []
    for name in weights:
        key = id(held[name][1])
        if key not in seen:
            seen.add(key)
            names.append(name)
    return names
