"""Prompts of a step drawn by problem: all languages of a problem come in the same step, for rewards that compare them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache

from src.common.errors import UserError
from src.common.seeds import derive_seed
from src.data.records import Question


def problems_of(questions: Sequence[Question]) -> tuple[tuple[int, ...], ...]:
    """The rows of each problem, by its id, in order of first rows."""
    groups: dict[str, list[int]] = {}
    for index, question in enumerate(questions):
        groups.setdefault(question.problem, []).append(index)
    return tuple(map(tuple, groups.values()))


def draw_by_problem(
    problems: tuple[tuple[int, ...], ...], step: int, number: int, per_step: int, seed: int
) -> list[int]:
    """Indices of the prompts of round `number` of a step, whole problems that make `per_step` together.

    Round 0 goes through the problems in an order of each epoch; a problem that does not fit any more waits for the next step,
    before the others. A later round has an order of its own. A function of its arguments: a step that is repeated draws the same.

    Raises:
        UserError: no problems make `per_step` together.
    """
    if number:
        return _Order(problems, per_step, derive_seed("round", seed, step, number)).step(0)
    return _order(problems, per_step, seed).step(step)


class _Order:
    """The steps so far, and the problems that wait."""

    def __init__(self, problems: tuple[tuple[int, ...], ...], per_step: int, seed: int) -> None:
        self.problems = problems
        self.per_step = per_step
        self.seed = seed
        self.epochs = 0
        self.waiting: list[int] = []
        self.steps: list[list[int]] = []

    def step(self, number: int) -> list[int]:
        while len(self.steps) <= number:
            self.steps.append(self._next())
        return list(self.steps[number])

    def _next(self) -> list[int]:
        chosen: list[int] = []
        begun = self.epochs
        place = 0
        while len(chosen) < self.per_step:
            if place == len(self.waiting):
                if self.epochs - begun > self.per_step:  # the smallest problem would have filled it by now
                    sizes = sorted({len(rows) for rows in self.problems})
                    raise UserError(
                        "grpo.prompts_per_step must be what problems in all their languages make together, with "
                        f"grpo.prompts_by=problem; got {self.per_step} with problems in {', '.join(map(str, sizes))} languages. "
                        f"Take a multiple of {sizes[-1]}"
                    )
                self.waiting += self._epoch()
            rows = self.problems[self.waiting[place]]
            if len(chosen) + len(rows) <= self.per_step:
                chosen += rows
                del self.waiting[place]
            else:
                place += 1
        return chosen

    def _epoch(self) -> list[int]:
        order = list(range(len(self.problems)))
        random.Random(derive_seed("problems", self.seed, self.epochs)).shuffle(order)
        self.epochs += 1
        return order


@lru_cache(maxsize=4)
def _order(problems: tuple[tuple[int, ...], ...], per_step: int, seed: int) -> _Order:
    return _Order(problems, per_step, seed)
