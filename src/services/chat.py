"""A chat completion of an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from src.services.http import Again, HttpClient
from src.services.spec import ChatSpec

BYTES_PER_TOKEN = 3  # UTF-8: about a letter of Thai or Japanese, and less than a token of French
Accepted = TypeVar("Accepted")


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


class ChatClient(HttpClient):
    """Asks by a `ChatSpec`; use as an asynchronous context manager."""

    def __init__(self, spec: ChatSpec, key: str) -> None:
        super().__init__(spec, key)
        self.spec = spec

    async def ask(self, text: str) -> Reply:
        """The reply to `text`, sent as a user's message.

        Raises:
            Refused, Unanswered: see `HttpClient.post`.
        """
        return await self.ask_for(text, lambda reply: reply)

    async def ask_for(self, text: str, accept: Callable[[Reply], Accepted | None]) -> Accepted:
        """What `accept` reads from the reply to `text`; where that is None, the reply is no answer, and `text` is asked again.

        Raises:
            Refused, Unanswered: see `HttpClient.post`.
        """

        def read(content: bytes, seconds: float) -> Accepted:
            reply = _read(content, text, seconds)
            accepted = accept(reply)
            if accepted is None:
                raise Again(f"a reply that is not what was asked for: {reply.content[:200]!r}")
            return accepted

        return await self.post("chat/completions", self._body(text), read)

    def _body(self, text: str) -> dict[str, Any]:
        body = {
            "model": self.spec.model,
            "messages": [{"role": "user", "content": text}],
            "temperature": self.spec.temperature,
            "top_p": self.spec.top_p,
            "max_tokens": self.spec.maximum_tokens,
        } | dict(self.spec.extra)
        return {name: value for name, value in body.items() if value is not None}


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
        raise Again(
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
