"""How long a sequence may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def context_of(config: Any) -> int | None:
    """The longest sequence that the model of a configuration was made for, with the stretching of its rotations; None where
    it has no limit."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    lengths = [getattr(text, name, None) for name in ("max_position_embeddings", "n_positions", "max_seq_len")]
    for rotation in _rotations(text):
        factor, first = rotation.get("factor"), rotation.get("original_max_position_embeddings")
        if factor and first:
            lengths.append(int(factor * first))
    known = [length for length in lengths if isinstance(length, int) and length > 0]
    return max(known) if known else None


def _rotations(text: Any) -> Iterator[dict[str, Any]]:
    """Settings of rotary positions, one for all layers or one for each of their types."""
    for name in ("rope_scaling", "rope_parameters"):
        value = getattr(text, name, None)
        if isinstance(value, dict):
            yield value
            yield from (inner for inner in value.values() if isinstance(inner, dict))
