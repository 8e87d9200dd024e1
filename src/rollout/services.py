"""From the settings of services to services: those that a reward needs, and no others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from src.data.references import References, references_of
from src.data.spec import DataSpec
from src.data.world.standins import WorldEmbedder, WorldJudge, WorldTranslator
from src.rewards.base import COSINE, PIVOT, THOUGHTS, TRANSLATION
from src.services.base import Scorer, Translator
from src.services.cache import Cache
from src.services.embedder import RemoteEmbedder
from src.services.judge import RemoteJudge
from src.services.spec import ENDPOINT, ServicesSpec
from src.services.translator import RemoteTranslator

# Service -> the evidence that it gives.
GIVES = {"judge": (THOUGHTS,), "embedder": (COSINE,), "translator": (TRANSLATION, PIVOT)}


def used(needs: Collection[str]) -> list[str]:
    """The services that give some of `needs`."""
    return [name for name, gives in GIVES.items() if set(gives) & set(needs)]


@dataclass(frozen=True)
class Services:
    """What can be asked; those that nobody needs are the world's, which cost nothing. Use as a context manager."""

    spec: ServicesSpec
    references: References
    judge: Scorer
    embedder: Scorer
    translator: Translator
    caches: tuple[Cache, ...] = ()

    @staticmethod
    def of(spec: ServicesSpec, data: DataSpec, needs: Collection[str], folder: Path, rank: int) -> Services:
        """With the answers that earlier attempts, of any number of ranks, left in `folder`.

        Raises:
            BadData: the file of references cannot be read.
            Refused: the key of an endpoint is not set.
        """
        caches: list[Cache] = []

        def cache(name: str) -> Cache:
            caches.append(Cache(folder / name, f"rank-{rank}"))
            return caches[-1]

        remote = [name for name in used(needs) if getattr(spec, name).by == ENDPOINT]
        return Services(
            spec,
            references_of(spec.references, spec.pivot, data.layout),
            RemoteJudge(spec.judge, cache("judge")) if "judge" in remote else WorldJudge(),
            RemoteEmbedder(spec.embedder, cache("embedder")) if "embedder" in remote else WorldEmbedder(),
            RemoteTranslator(spec.translator, cache("translator")) if "translator" in remote else WorldTranslator(),
            tuple(caches),
        )

    def __enter__(self) -> Services:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for cache in self.caches:
            cache.close()
