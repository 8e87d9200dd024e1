"""The examples as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from src.data.mixes.base import Material
from src.data.records import Example


@dataclass(frozen=True)
class Plain:
    """No mix."""

    parallel: ClassVar[bool] = False
    samples: ClassVar[bool] = False
    pivots: ClassVar[tuple[str, ...]] = ()

    def __call__(self, material: Material, seed: int) -> list[Example]:
        return list(material.rows)
