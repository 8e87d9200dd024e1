"""Arithmetic behind the word problems: drawing them, and assigning each to a split by its content.

Splits are by hash of (start, operations), 80 / 10 / 10, so a problem of the test is disjoint from training in
every language at once. One-step problems always belong to training: they are the elementary facts, and holding
one out would test arithmetic that was never shown.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from src.common.errors import ConfigError
from src.data.world.grammar import ITEMS, OPERATIONS
from src.data.world.spec import WorldSpec

SIGNS = {"gain": "+", "lose": "-", "times": "x"}


@dataclass(frozen=True)
class Problem:
    """`operations` are (operation, operand) pairs applied to `start` in order; `item` is what is counted."""

    start: int
    operations: tuple[tuple[str, int], ...]
    item: str

    @property
    def key(self) -> str:
        """The arithmetic alone, such as `5+3x2`: what the split hashes and what translations share."""
        return str(self.start) + "".join(f"{SIGNS[name]}{operand}" for name, operand in self.operations)

    def results(self) -> list[int]:
        """The running result after each operation."""
        running = self.start
        return [running := apply(running, operation) for operation in self.operations]

    @property
    def answer(self) -> int:
        """The result after the last operation."""
        return self.results()[-1]

    @property
    def split(self) -> str:
        """`train`, `dev` or `test`, by a hash of the arithmetic."""
        if len(self.operations) < 2:
            return "train"
        bucket = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:4], "big") % 10
        return {8: "dev", 9: "test"}.get(bucket, "train")


def apply(value: int, operation: tuple[str, int]) -> int:
    """The result of one (operation, operand)."""
    name, operand = operation
    return {"gain": value + operand, "lose": value - operand, "times": value * operand}[name]


def draw(spec: WorldSpec, generator: random.Random, steps: int | None = None) -> Problem:
    """One problem, uniform over the ranges of `spec`, whose every running result is in 1..maximum_result."""
    while True:
        start = generator.randint(*spec.start)
        count = steps or generator.choice(spec.steps)
        names = generator.choices(OPERATIONS, weights=spec.operation_weights, k=count)
        operations = tuple(
            (name, generator.randint(*(spec.factor if name == "times" else spec.operand))) for name in names
        )
        problem = Problem(start, operations, generator.choice(ITEMS[: spec.items]))
        if all(1 <= result <= spec.maximum_result for result in problem.results()):
            return problem


def draw_split(
    spec: WorldSpec, split: str, count: int, seed: int, steps: int | None = None, distinct: bool = False
) -> list[Problem]:
    """`count` problems of one split; `distinct` asks for different arithmetic in each.

    Raises:
        ConfigError: the split holds fewer distinct problems than asked for.
    """
    generator = random.Random(f"{split}/{seed}")
    problems: list[Problem] = []
    seen: set[str] = set()
    misses = 0
    while len(problems) < count:
        problem = draw(spec, generator, steps)
        if problem.split != split or (distinct and problem.key in seen):
            misses += 1
            if misses > 10_000 + 1_000 * count:
                raise ConfigError(
                    f"the {split} split of world={spec.name} holds only about {len(problems)} distinct problems, "
                    f"{count} were asked for: ask for fewer or widen world.start / world.operand"
                )
            continue
        seen.add(problem.key)
        problems.append(problem)
    return problems
