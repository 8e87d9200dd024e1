"""One request to an OpenAI-compatible endpoint: asked again for passing reasons, given up for lasting ones."""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from src.common.errors import UserError
from src.services.spec import TeacherSpec

BYTES_PER_TOKEN = 3  # UTF-8: about a letter of Thai or Japanese, and less than a token of French
PASSING = (408, 409, 425, 429)  # and all of 500 and above
LONGEST_WAIT = 60.0  # seconds between two attempts, where the server does not say
LONGEST_PAUSE = 3600.0  # seconds a server may ask for


class Refused(UserError):
    """The server will not answer, now or later; the message is the server's."""


class Unanswered(Exception):
    """A request failed for passing reasons until its attempts were used up; the last reason."""


class _Again(Exception):
    """An attempt that may be repeated, after `seconds` if the server said so."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True)
class Reply:
    """What a request came to. `reasoning` and `content` are as the server gave them, `finish` its reason to stop.

    Tokens are the server's count, or where it gives none (`counted` false) the bytes divided by `BYTES_PER_TOKEN`.
    `seconds` is how long the reply took, without earlier attempts; `time` when it came (UTC).
    """

    model: str
    reasoning: str
    content: str
    finish: str
    prompt_tokens: int
    completion_tokens: int
    counted: bool
    seconds: float
    time: str


def key_of(spec: TeacherSpec) -> str:
    """The key, from the environment variable that the settings name; empty where they name none.

    Raises:
        Refused: the variable is not set.
    """
    if not spec.key_variable:
        return ""
    key = os.environ.get(spec.key_variable, "").strip()
    if not key:
        raise Refused(
            f"traces.teacher.key_variable must name an environment variable that holds the key; {spec.key_variable} is "
            "not set. Set it in the shell, or leave the setting empty for an endpoint without keys"
        )
    return key


class ChatClient:
    """Asks by `TeacherSpec`; use as an asynchronous context manager. Once `stopped` is set, no attempt is repeated."""

    def __init__(self, spec: TeacherSpec, key: str) -> None:
        import httpx

        self.spec = spec
        self.key = key
        self.stopped = asyncio.Event()
        self.address = spec.url.rstrip("/") + "/chat/completions"
        self.client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=spec.timeout_seconds,
            limits=httpx.Limits(max_connections=spec.concurrency, max_keepalive_connections=spec.concurrency),
        )
        self._free_at = 0.0  # on the loop's clock: when the server lets itself be asked again
        self._random = random.Random()  # jitter alone: no result depends on it

    async def __aenter__(self) -> ChatClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def ask(self, text: str) -> Reply:
        """The reply to `text`, sent as a user's message.

        Raises:
            Refused: a status that repeating will not change (400, 401, 404, an exhausted account).
            Unanswered: all attempts failed.
        """
        for attempt in range(self.spec.retries + 1):
            try:
                return await self._attempt(text)
            except _Again as again:
                reason = str(again)
                retry_after = again.seconds
            if attempt == self.spec.retries or self.stopped.is_set():
                break
            if retry_after is not None:  # no other request should be sent before either
                self._free_at = max(self._free_at, asyncio.get_running_loop().time() + retry_after)
            wait = min(LONGEST_WAIT, self.spec.backoff_seconds * 2**attempt)
            await self._rest(max(retry_after or 0.0, wait) + self._random.uniform(0, wait / 2))
        raise Unanswered(self._hidden(reason))

    async def _attempt(self, text: str) -> Reply:
        import httpx

        loop = asyncio.get_running_loop()
        if (pause := self._free_at - loop.time()) > 0:
            await self._rest(pause)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.spec.timeout_seconds):  # all of it: httpx's own limit is between two bytes
                response = await self.client.post(self.address, json=self._body(text))
        except TimeoutError:
            raise _Again(f"no answer within {self.spec.timeout_seconds:g} s") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Again(f"{type(error).__name__}: {error}".rstrip(": ")) from None
        if response.status_code != 200:
            self._explain(response)
        return _read(response.content, text, time.monotonic() - began)

    async def _rest(self, seconds: float) -> None:
        """Wait, but not when everything has stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopped.wait(), seconds)

    def _body(self, text: str) -> dict[str, Any]:
        body = {
            "model": self.spec.model,
            "messages": [{"role": "user", "content": text}],
            "temperature": self.spec.temperature,
            "top_p": self.spec.top_p,
            "max_tokens": self.spec.maximum_tokens,
        } | dict(self.spec.extra)
        return {name: value for name, value in body.items() if value is not None}

    def _explain(self, response: Any) -> None:
        status = response.status_code
        message = _message(response.text)
        passing = (status in PASSING or status >= 500) and "insufficient_quota" not in response.text
        if passing:
            raise _Again(f"status {status}: {message}", _retry_after(response.headers.get("retry-after")))
        raise Refused(
            self._hidden(
                f"the teacher at {self.spec.url} refused the request with status {status}: {message}. Correct "
                "traces.teacher.*; answers so far are kept, and the same command goes on"
            )
        )

    def _hidden(self, message: str) -> str:
        """Servers like to repeat the key they were given."""
        return message.replace(self.key, "<key>") if self.key else message


def _read(content: bytes, asked: str, seconds: float) -> Reply:
    """The first choice of a response; one that is not as it should be may be so by accident, and is asked for again."""
    try:
        body = json.loads(content)
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
        if not isinstance(text, str) or not isinstance(reasoning, str):
            raise TypeError("content is no text")
        counts = [(body.get("usage") or {}).get(name) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _Again(
            f"a response that is no chat completion ({type(error).__name__}: {error}): {content[:200]!r}"
        ) from None
    tokens = [count for count in counts if isinstance(count, int) and count >= 0]
    counted = len(tokens) == len(counts)
    if not counted:
        tokens = [len(part.encode(errors="replace")) // BYTES_PER_TOKEN + 1 for part in (asked, reasoning + text)]
    return Reply(
        model=_plain(str(body.get("model") or "")),
        reasoning=_plain(reasoning),
        content=_plain(text),
        finish=str(choice.get("finish_reason") or ""),
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
        counted=counted,
        seconds=round(seconds, 3),
        time=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    )


def _plain(text: str) -> str:
    """Half a surrogate pair cannot be written to a file."""
    return text.encode(errors="replace").decode()


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
