"""Services behind an OpenAI-compatible endpoint; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

# Settings of the teacher that change how its answers are come by, not what they are.
SERVICE = (
    "url",
    "key_variable",
    "concurrency",
    "retries",
    "backoff_seconds",
    "timeout_seconds",
    "price_in",
    "price_out",
    "budget",
)


@dataclass(frozen=True)
class TeacherSpec:
    """A model behind an OpenAI-compatible endpoint (`<url>/chat/completions`), and what may be spent on it.

    `key_variable` names the environment variable that holds the key (empty: none is sent); the key itself is in no
    setting and no file. Each question is asked `samples` times, `concurrency` requests at once. A request that fails for
    a passing reason is repeated up to `retries` times, after `backoff_seconds`, twice that, and so on, or when the server
    says. `unanswered` is the share of requests that may stay without an answer. `price_in` and `price_out` are for a
    million tokens; `budget`, in the same currency, is what the answers of a set may cost in all (attempts without an
    answer are not known to cost anything). `extra` goes into every request as it is; a field that is null there is left
    out, as `max_tokens` must be where the limit has another name.
    """

    url: str = "http://localhost:8000/v1"
    model: str = ""
    key_variable: str = ""
    temperature: float = 0.6
    top_p: float = 0.95
    maximum_tokens: int = 16_384
    samples: int = 1
    extra: dict[str, Any] = field(default_factory=dict)
    concurrency: int = 16
    retries: int = 6
    backoff_seconds: float = 1.0
    timeout_seconds: float = 900.0
    unanswered: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float = 0.0

    def cost(self, tokens_in: float, tokens_out: float) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6

    def answers(self) -> dict[str, Any]:
        """The settings that one answer depends on: answers that agree in them are kept in one file."""
        return {key: getattr(self, key) for key in ("model", "temperature", "top_p", "maximum_tokens", "extra")}

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        name = "traces.teacher"
        violations = []
        if not self.model:
            violations.append(f"{name}.model must be the name the endpoint knows the teacher by; got an empty one")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            violations.append(
                f"{name}.url must be http(s)://<host>[:port]/<path>, without /chat/completions; got {parts.hostname}"
            )
        if parts.username or parts.password or parts.query:
            violations.append(f"{name}.url must hold no password and no query: a key belongs into {name}.key_variable")
        for key in ("maximum_tokens", "samples", "concurrency"):
            if getattr(self, key) < 1:
                violations.append(f"{name}.{key} must be at least 1; got {getattr(self, key)}")
        for key in ("temperature", "retries", "backoff_seconds", "price_in", "price_out", "budget"):
            if getattr(self, key) < 0:
                violations.append(f"{name}.{key} must be at least 0; got {getattr(self, key)}")
        if self.timeout_seconds <= 0:
            violations.append(f"{name}.timeout_seconds must be above 0; got {self.timeout_seconds}")
        if not 0 < self.top_p <= 1:
            violations.append(f"{name}.top_p must be in (0, 1]; got {self.top_p}")
        if not 0 <= self.unanswered < 1:
            violations.append(f"{name}.unanswered is a share in [0, 1); got {self.unanswered}")
        if taken := sorted({"model", "messages", "stream", "n"} & set(self.extra)):
            violations.append(f"{name}.extra must leave {', '.join(taken)} alone: the stage sets it")
        return violations
