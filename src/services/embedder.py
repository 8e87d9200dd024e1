"""Embeddings of an endpoint: how close a text is to its reference."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from src.services.base import Answers, Pair
from src.services.cache import Cache
from src.services.http import Again, HttpClient
from src.services.remote import Remote
from src.services.spec import EmbedderSpec

REMEMBERED = 4096  # vectors of references


class RemoteEmbedder(Remote[float]):
    """See `src.services.base.Scorer`: the cosine of text and reference in [-1, 1]. References are embedded once."""

    def __init__(self, spec: EmbedderSpec, cache: Cache) -> None:
        super().__init__(spec, cache)
        self.spec = spec
        self.batch = spec.batch
        self._references: dict[str, list[float]] = {}

    def __call__(self, pairs: Sequence[Pair], step: int) -> Answers[float]:
        return self.answers(pairs, step)

    def settings(self) -> dict[str, Any]:
        return self.spec.answers()

    def connect(self) -> HttpClient:
        return HttpClient(self.spec, self.secret)

    async def ask(self, client: HttpClient, items: Sequence[Pair]) -> list[float]:
        pairs = list(map(Pair._make, items))
        new = dict.fromkeys(pair.reference for pair in pairs if pair.reference not in self._references)
        texts = [*(pair.text for pair in pairs), *new]
        vectors = await self._embed(client, texts)
        if len(self._references) > REMEMBERED:
            self._references.clear()
        known = {**self._references, **dict(zip(new, vectors[len(pairs) :], strict=True))}
        self._references.update(known)
        return [cosine(vector, known[pair.reference]) for vector, pair in zip(vectors, pairs, strict=False)]

    async def _embed(self, client: HttpClient, texts: Sequence[str]) -> list[list[float]]:
        """The vector of each text: the mean of those of its windows."""
        parts = [windows(text, self.spec.window) for text in texts]
        every = [part for own in parts for part in own]
        vectors: list[list[float]] = []
        for start in range(0, len(every), self.spec.batch):
            asked = every[start : start + self.spec.batch]
            body = {"model": self.spec.model, "input": asked, "encoding_format": "float"} | dict(self.spec.extra)
            vectors += await client.post("embeddings", body, partial(_read, len(asked)))
        made = []
        for own in parts:
            made.append(mean(vectors[: len(own)]))
            del vectors[: len(own)]
        return made


def windows(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` characters; an empty one is a piece.

    >>> windows("abcde", 2), windows("", 2)
    (['ab', 'cd', 'e'], [''])
    """
    return [text[start : start + size] for start in range(0, max(1, len(text)), size)]


def mean(vectors: Sequence[Sequence[float]]) -> list[float]:
    """The mean direction of vectors, of length 1; of opposite ones zeros."""
    total = [sum(column) for column in zip(*map(unit, vectors), strict=True)]
    return unit(total)


def unit(vector: Sequence[float]) -> list[float]:
    """The vector with length 1; zeros stay zeros."""
    length = math.sqrt(math.fsum(number * number for number in vector))
    return [number / length for number in vector] if length else list(vector)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors of length 1, within [-1, 1] whatever rounding does.

    >>> cosine([1.0, 0.0], [0.0, 1.0]), cosine([1.0, 0.0], [1.0, 0.0])
    (0.0, 1.0)
    """
    return min(1.0, max(-1.0, math.fsum(a * b for a, b in zip(one, other, strict=True))))


def _read(count: int, content: bytes, seconds: float) -> list[list[float]]:
    """The vectors of a response, by index; one that is not as it should be may be so by accident, and is asked for again."""
    try:
        rows = json.loads(content)["data"]
        vectors = {int(row["index"]): [float(number) for number in row["embedding"]] for row in rows}
        ordered = [vectors[index] for index in range(count)]
        if len({len(vector) for vector in ordered}) != 1 or not all(map(_usable, ordered)):
            raise ValueError("vectors of different length, without length, or not finite")
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Again(
            f"a response that is no list of {count} embeddings ({type(error).__name__}: {error}): {content[:200]!r}"
        ) from None
    return ordered


def _usable(vector: Sequence[float]) -> bool:
    return all(map(math.isfinite, vector)) and any(vector)
