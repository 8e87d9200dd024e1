"""What a result depends on, as plain values that can be hashed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Identified(Protocol):
    """A group of settings that says itself what of it a result depends on: not where files lie, no limits of time."""

    def identity(self) -> object:
        """Plain values: numbers, strings, lists and dictionaries."""


def plain(value: object) -> Any:
    """What a result depends on when it depends on `value`: what an `Identified` says, of another dataclass its class name
    and fields, anything else as it is."""
    if isinstance(value, Identified):
        return value.identity()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__name__} | dataclasses.asdict(value)
    return value


def canonical(value: object) -> Any:
    """Plain values in one spelling: equal numbers are alike (1.0 is 1), a sequence is a list."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): canonical(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(inner) for inner in value]
    return value


def short_hash(value: object) -> str:
    """Twelve hexadecimal digits of plain values; the order of keys and how a number is written do not matter."""
    return hashlib.sha256(json.dumps(canonical(value), sort_keys=True, default=str).encode()).hexdigest()[:12]
