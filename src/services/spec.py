"""Services behind an OpenAI-compatible endpoint; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

# Settings of an endpoint that change how its answers are come by, not what they are.
CONNECTION = ("url", "key_variable", "concurrency", "retries", "backoff_seconds", "timeout_seconds")
# Those of the teacher.
SERVICE = (*CONNECTION, "price_in", "price_out", "budget")
WORLD = "world"
ENDPOINT = "endpoint"
BACKENDS = (WORLD, ENDPOINT)


@dataclass(frozen=True)
class EndpointSpec:
    """An OpenAI-compatible endpoint at `url`, and how it is asked. `where` is the name of these settings, `called` what
    messages call the endpoint.

    `key_variable` names the environment variable that holds the key (empty: none is sent); the key itself is in no
    setting and no file. `concurrency` requests are sent at once. A request that fails for a passing reason, or takes longer
    than `timeout_seconds`, is repeated up to `retries` times, after `backoff_seconds`, twice that, and so on, or when the
    server says. `unanswered` is the share of requests that may stay without an answer. `extra` goes into every request as
    it is; a field that is null there is left out, as `max_tokens` must be where the limit has another name.
    """

    where: ClassVar[str] = ""
    called: ClassVar[str] = "the service"
    taken: ClassVar[frozenset[str]] = frozenset(
        ("model", "messages", "stream", "n")
    )  # fields of a request that are set

    url: str = "http://localhost:8000/v1"
    model: str = ""
    key_variable: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    concurrency: int = 16
    retries: int = 6
    backoff_seconds: float = 1.0
    timeout_seconds: float = 900.0
    unanswered: float = 0.0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        name = self.where
        violations = []
        if not self.model:
            violations.append(f"{name}.model must be the name the endpoint knows {self.called} by; got an empty one")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            violations.append(
                f"{name}.url must be http(s)://<host>[:port]/<path>, without /chat/completions; got {parts.hostname}"
            )
        if parts.username or parts.password or parts.query:
            violations.append(f"{name}.url must hold no password and no query: a key belongs into {name}.key_variable")
        if self.concurrency < 1:
            violations.append(f"{name}.concurrency must be at least 1; got {self.concurrency}")
        for key in ("retries", "backoff_seconds"):
            if getattr(self, key) < 0:
                violations.append(f"{name}.{key} must be at least 0; got {getattr(self, key)}")
        if self.timeout_seconds <= 0:
            violations.append(f"{name}.timeout_seconds must be above 0; got {self.timeout_seconds}")
        if not 0 <= self.unanswered < 1:
            violations.append(f"{name}.unanswered is a share in [0, 1); got {self.unanswered}")
        if taken := sorted(self.taken & set(self.extra)):
            violations.append(f"{name}.extra must leave {', '.join(taken)} alone: they are set already")
        return violations


@dataclass(frozen=True)
class ChatSpec(EndpointSpec):
    """A model that chats (`<url>/chat/completions`), and how it samples."""

    temperature: float = 0.6
    top_p: float = 0.95
    maximum_tokens: int = 16_384

    def answers(self) -> dict[str, Any]:
        """The settings that one answer depends on: answers that agree in them are kept together."""
        return {key: getattr(self, key) for key in ("model", "temperature", "top_p", "maximum_tokens", "extra")}

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = super().violations()
        if self.maximum_tokens < 1:
            violations.append(f"{self.where}.maximum_tokens must be at least 1; got {self.maximum_tokens}")
        if self.temperature < 0:
            violations.append(f"{self.where}.temperature must be at least 0; got {self.temperature}")
        if not 0 < self.top_p <= 1:
            violations.append(f"{self.where}.top_p must be in (0, 1]; got {self.top_p}")
        return violations


@dataclass(frozen=True)
class TeacherSpec(ChatSpec):
    """A model that writes worked examples, and what may be spent on it.

    Each question is asked `samples` times. `price_in` and `price_out` are for a million tokens; `budget`, in the same
    currency, is what the answers of a set may cost in all (attempts without an answer are not known to cost anything).
    """

    where: ClassVar[str] = "traces.teacher"
    called: ClassVar[str] = "the teacher"

    samples: int = 1
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float = 0.0

    def cost(self, tokens_in: float, tokens_out: float) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = super().violations()
        if self.samples < 1:
            violations.append(f"{self.where}.samples must be at least 1; got {self.samples}")
        for key in ("price_in", "price_out", "budget"):
            if getattr(self, key) < 0:
                violations.append(f"{self.where}.{key} must be at least 0; got {getattr(self, key)}")
        return violations


@dataclass(frozen=True)
class JudgeSpec(ChatSpec):
    """Who looks for the results of a reference in a trace: the embedded `world` itself, or an `endpoint`."""

    where: ClassVar[str] = "services.judge"
    called: ClassVar[str] = "the judge"

    by: str = WORLD
    maximum_tokens: int = 1024
    retries: int = 3
    timeout_seconds: float = 60.0
    unanswered: float = 0.1

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        return super().violations() if self.by == ENDPOINT else _known(self.where, self.by)


@dataclass(frozen=True)
class TranslatorSpec(ChatSpec):
    """Who translates: the embedded `world` by its own sentences, or an `endpoint`."""

    where: ClassVar[str] = "services.translator"
    called: ClassVar[str] = "the translator"

    by: str = WORLD
    temperature: float = 0.0
    retries: int = 3
    timeout_seconds: float = 120.0
    unanswered: float = 0.1

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        return super().violations() if self.by == ENDPOINT else _known(self.where, self.by)


@dataclass(frozen=True)
class EmbedderSpec(EndpointSpec):
    """Who embeds texts: the embedded `world` by counting, or an `endpoint` (`<url>/embeddings`).

    A text of more than `window` characters is embedded in windows of so many, and their mean counts. `batch` texts go
    into a request.
    """

    where: ClassVar[str] = "services.embedder"
    called: ClassVar[str] = "the embedder"
    taken: ClassVar[frozenset[str]] = frozenset(("model", "input", "encoding_format"))

    by: str = WORLD
    window: int = 1500
    batch: int = 32
    retries: int = 3
    timeout_seconds: float = 60.0
    unanswered: float = 0.1

    def answers(self) -> dict[str, Any]:
        """The settings that one answer depends on."""
        return {key: getattr(self, key) for key in ("model", "window", "extra")}

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = super().violations() if self.by == ENDPOINT else _known(self.where, self.by)
        for key in ("window", "batch"):
            if getattr(self, key) < 1:
                violations.append(f"{self.where}.{key} must be at least 1; got {getattr(self, key)}")
        return violations


@dataclass(frozen=True)
class ServicesSpec:
    """What gives rewards the evidence that neither grader nor detector has.

    `pivot` is the language of references. `references` is a file of worked examples in it, found by the ids of the
    problems (null: those that the embedded world writes itself). Of its own answers in the pivot language a policy gives
    `own_answers` to each question.
    """

    pivot: str = "en"
    references: str | None = None
    own_answers: int = 4
    judge: JudgeSpec = field(default_factory=JudgeSpec)
    embedder: EmbedderSpec = field(default_factory=EmbedderSpec)
    translator: TranslatorSpec = field(default_factory=TranslatorSpec)


# Settings of services that change no result.
OF_SERVICES = tuple(
    f"services.{name}.{key}"
    for name, keys in (
        ("judge", CONNECTION),
        ("embedder", (*CONNECTION, "batch")),
        ("translator", CONNECTION),
    )
    for key in (*keys, "unanswered")
)


def _known(where: str, by: str) -> list[str]:
    return [] if by in BACKENDS else [f"{where}.by must be one of {', '.join(BACKENDS)}; got {by!r}"]
