"""What requests to a paid service may cost together."""

from __future__ import annotations

import asyncio

from src.common.errors import UserError
from src.services.spec import TeacherSpec


class OverBudget(UserError):
    """The next request could cost more than is left."""


class Purse:
    """What is spent, and what the requests in flight may cost at most."""

    def __init__(self, spec: TeacherSpec, spent: float) -> None:
        self.spec = spec
        self.spent = spent
        self.reserved = 0.0
        self.in_flight = 0
        self._changed = asyncio.Condition()

    async def reserve(self, most: float) -> None:
        """Set `most` aside, as soon as what is in flight leaves room for it.

        Raises:
            OverBudget: nothing is in flight, and there still is no room.
        """
        async with self._changed:
            while self.spent + self.reserved + most > self.spec.budget + 1e-9:
                if not self.in_flight:
                    raise OverBudget(
                        f"traces.teacher.budget must cover the next request, which may cost {most:.4f}; {self.spent:.4f} of "
                        f"{self.spec.budget:g} are spent. Raise it: the same command goes on from the answers there are"
                    )
                await self._changed.wait()
            self.reserved += most
            self.in_flight += 1

    async def settle(self, most: float, cost: float) -> None:
        """A request is over: `cost` is what it came to."""
        async with self._changed:
            self.reserved -= most
            self.in_flight -= 1
            self.spent += cost
            self._changed.notify_all()
