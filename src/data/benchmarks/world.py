"""The embedded world as a benchmark: problems no stage trains on, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.data.benchmarks.base import Benchmark
from src.data.records import Question
from src.language.table import PUBLISHED_MGSM

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


@dataclass(frozen=True)
class World(Benchmark):
    """`dev` to choose by, `test`, and `shift`: the test in wordings that SFT and GRPO never show. `train` is of the
    problems that those learn from, to make data of."""

    def splits(self) -> tuple[str, ...]:
        return ("dev", "test", "shift", "train")

    def languages(self) -> tuple[str, ...]:
        from src.data.world.render import world_languages

        return world_languages()

    def published_languages(self) -> tuple[str, ...]:
        return PUBLISHED_MGSM

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        from src.data.world import documents

        if split == "train":
            return [row for code in languages for row in documents.prompts(world, code, problems or 50, seed=0)]
        return documents.evaluation(world, split, list(languages), problems or 50)
