"""A service behind an endpoint: many requests at once, answers kept the moment they come, None where there is none."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any, Generic

from src.common.errors import UserError
from src.services.base import Answers, Value
from src.services.cache import Cache, key_of
from src.services.http import OF_THE_REQUEST, HttpClient, Refused, Unanswered, key_from_environment
from src.services.spec import EndpointSpec

AT_LEAST = 50  # so many requests a share of them is counted of


class GivenUp(UserError):
    """A service leaves too many requests without an answer."""


class Remote(ABC, Generic[Value]):
    """Looks answers up in a cache and asks an endpoint for the others.

    What stays without an answer is None and no error, up to `unanswered` of the requests of a process.
    """

    batch = 1  # items that are asked for together

    def __init__(self, spec: EndpointSpec, cache: Cache) -> None:
        """
        Raises:
            Refused: the variable with the key is not set.
        """
        self.endpoint = spec
        self.cache = cache
        self.secret = key_from_environment(spec)
        self.asked = self.failed = 0

    @abstractmethod
    def connect(self) -> HttpClient:
        """A client of the endpoint."""

    @abstractmethod
    async def ask(self, client: Any, items: Sequence[Any]) -> list[Value]:
        """The answers to `items`, from the endpoint. Raises what `HttpClient.post` raises."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The settings that an answer depends on."""

    def answers(self, items: Sequence[tuple[str, ...]], step: int) -> Answers[Value]:
        """An answer to each of `items`, whose texts say all that there is to it.

        Raises:
            GivenUp: too many requests have no answer; what was answered is kept.
            Refused: the endpoint will answer nothing.
        """
        settings = self.settings()
        keys = [key_of(type(self).__name__, settings, *item) for item in items]
        earlier = [key for key in keys if (known := self.cache.answer(key)) is not None and known[1] < step]
        left = {
            key: item
            for key, item in zip(keys, items, strict=True)
            if self.cache.answer(key) is None and not self.cache.failed(key, step)
        }
        failures = asyncio.run(self._ask_all(left, step)) if left else {}
        self._check(len(left), failures)
        for key, reason in failures.items():
            self.cache.add_failure(key, reason, step)
        values: list[Value | None] = []
        for key in keys:
            known = None if self.cache.failed(key, step) else self.cache.answer(key)
            values.append(None if known is None else known[0])
        return Answers(values, len(earlier))

    async def _ask_all(self, left: dict[str, tuple[str, ...]], step: int) -> dict[str, str]:
        """Ask for what is left and keep the answers; the reason of each that has none."""
        keys = list(left)
        waiting = deque(keys[start : start + self.batch] for start in range(0, len(keys), self.batch))
        failures: dict[str, str] = {}
        stop: list[Exception] = []
        in_a_row = 0

        async def work(client: HttpClient) -> None:
            nonlocal in_a_row
            while waiting and not stop:
                batch = waiting.popleft()
                try:
                    values = await self.ask(client, [left[key] for key in batch])
                    for key, value in zip(batch, values, strict=True):
                        self.cache.add(key, value, step)
                    in_a_row = 0
                except (Unanswered, Refused) as error:
                    if isinstance(error, Refused) and error.status not in OF_THE_REQUEST:
                        stop.append(error)
                    elif isinstance(error, Refused) and len(batch) > 1:
                        waiting.extend([key] for key in batch)  # one of them is to blame
                    else:
                        failures.update(dict.fromkeys(batch, str(error)))
                        in_a_row += 1
                except Exception as error:
                    stop.append(error)
                if in_a_row >= self.endpoint.concurrency:  # nobody is there
                    failures.update(
                        (key, "not asked: the requests before came to nothing") for b in waiting for key in b
                    )
                    waiting.clear()
                if stop or (not waiting and in_a_row >= self.endpoint.concurrency):
                    client.stopped.set()

        async with self.connect() as client:
            await asyncio.gather(*(work(client) for _ in range(min(self.endpoint.concurrency, len(waiting)))))
        if stop:
            raise stop[0]
        return failures

    def _check(self, asked: int, failures: dict[str, str]) -> None:
        self.asked += asked
        self.failed += len(failures)
        if self.failed > self.endpoint.unanswered * max(self.asked, AT_LEAST):
            reason = next(reason for reason in failures.values())
            where = self.endpoint.where
            raise GivenUp(
                f"{where}.unanswered={self.endpoint.unanswered:g} must be at least the share of requests without an answer; "
                f"{self.failed} of {self.asked} have none, such as: {reason}. See whether {self.endpoint.url} is up, then give "
                f"the same command again: answers are kept. Or raise {where}.unanswered to do without them"
            )
