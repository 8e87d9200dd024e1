"""Requests to an OpenAI-compatible endpoint: asked again for passing reasons, given up for lasting ones."""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from src.common.errors import UserError
from src.services.spec import EndpointSpec

PASSING = (408, 409, 425, 429)  # and all of 500 and above
OF_THE_REQUEST = (400, 413, 422)  # what another request need not meet
LONGEST_WAIT = 60.0  # seconds between two attempts, where the server does not say
LONGEST_PAUSE = 3600.0  # seconds a server may ask for
Read = TypeVar("Read")


class Refused(UserError):
    """The server will not answer, now or later; the message is the server's. `status` is that of HTTP, 0 without one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Unanswered(Exception):
    """A request failed for passing reasons until its attempts were used up; the last reason."""


class Again(Exception):
    """An attempt that may be repeated, after `seconds` if the server said so."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


def key_from_environment(spec: EndpointSpec) -> str:
    """The key, from the environment variable that the settings name; empty where they name none.

    Raises:
        Refused: the variable is not set.
    """
    if not spec.key_variable:
        return ""
    key = os.environ.get(spec.key_variable, "").strip()
    if not key:
        raise Refused(
            f"{spec.where}.key_variable must name an environment variable that holds the key; {spec.key_variable} is "
            "not set. Set it in the shell, or leave the setting empty for an endpoint without keys"
        )
    return key


class HttpClient:
    """Posts JSON by an `EndpointSpec`; use as an asynchronous context manager. Once `stopped` is set, no attempt is
    repeated."""

    def __init__(self, spec: EndpointSpec, key: str) -> None:
        import httpx

        self.endpoint = spec
        self.key = key
        self.stopped = asyncio.Event()
        self.client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=spec.timeout_seconds,
            limits=httpx.Limits(max_connections=spec.concurrency, max_keepalive_connections=spec.concurrency),
        )
        self._free_at = 0.0  # on the loop's clock: when the server lets itself be asked again
        self._random = random.Random()  # jitter alone: no result depends on it

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def post(self, path: str, body: dict[str, Any], read: Callable[[bytes, float], Read]) -> Read:
        """What `read` makes of the response to `body` at `<url>/<path>` and of the seconds it took. Where it raises `Again`,
        the request is repeated, as for passing reasons.

        Raises:
            Refused: a status that repeating will not change (400, 401, 404, an exhausted account).
            Unanswered: all attempts failed.
        """
        for attempt in range(self.endpoint.retries + 1):
            try:
                return await self._attempt(path, body, read)
            except Again as again:
                reason = str(again)
                retry_after = again.seconds
            if attempt == self.endpoint.retries or self.stopped.is_set():
                break
            if retry_after is not None:  # no other request should be sent before either
                self._free_at = max(self._free_at, asyncio.get_running_loop().time() + retry_after)
            wait = min(LONGEST_WAIT, self.endpoint.backoff_seconds * 2**attempt)
            await self._rest(max(retry_after or 0.0, wait) + self._random.uniform(0, wait / 2))
        raise Unanswered(self._hidden(reason))

    async def _attempt(self, path: str, body: dict[str, Any], read: Callable[[bytes, float], Read]) -> Read:
        import httpx

        loop = asyncio.get_running_loop()
        if (pause := self._free_at - loop.time()) > 0:
            await self._rest(pause)
        address = f"{self.endpoint.url.rstrip('/')}/{path}"
        limit = self.endpoint.timeout_seconds
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit):  # all of it: httpx's own limit is between two bytes
                response = await self.client.post(address, json=body)
        except TimeoutError:
            raise Again(f"no answer within {limit:g} s") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Again(f"{type(error).__name__}: {error}".rstrip(": ")) from None
        if response.status_code != 200:
            self._explain(response)
        return read(response.content, time.monotonic() - began)

    async def _rest(self, seconds: float) -> None:
        """Wait, but not when everything has stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopped.wait(), seconds)

    def _explain(self, response: Any) -> None:
        status = response.status_code
        message = _message(response.text)
        passing = (status in PASSING or status >= 500) and "insufficient_quota" not in response.text
        if passing:
            raise Again(f"status {status}: {message}", _retry_after(response.headers.get("retry-after")))
        raise Refused(
            self._hidden(
                f"{self.endpoint.called} at {self.endpoint.url} refused the request with status {status}: {message}. Correct "
                f"{self.endpoint.where}.*; answers so far are kept, and the same command goes on"
            ),
            status,
        )

    def _hidden(self, message: str) -> str:
        """Servers like to repeat the key they were given."""
        return message.replace(self.key, "<key>") if self.key else message


def _message(text: str) -> str:
    """What a server says about an error: the message of its JSON, or the text itself, shortened."""
    try:
        error = json.loads(text)
        error = error.get("error", error)
        message = error.get("message", error) if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        message = text
    return " ".join(str(message).split())[:500] or "no message"


def _retry_after(value: str | None) -> float | None:
    """The seconds of a Retry-After header, a number or a date; None where there is none that can be read."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_PAUSE) if seconds == seconds else None
