"""A table of routes: for the questions of a language, by their cluster, the languages to think in, best first.

As LSKExtractor (2505.14990), whose centres are the initialisation of k-means++ alone; its embedding is a model's of the English
question, here a text counts by its runs of three signs.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from pathlib import Path

from src.common.errors import UserError

Vector = Mapping[int, float]  # place -> value, of length 1; places without a value are 0
PLACES = 512


@dataclass(frozen=True)
class Answered:
    """A judged answer to a question: in which language it was thought, and whether it is right."""

    language: str
    question: str
    thought_in: str
    right: bool


@dataclass(frozen=True)
class Cluster:
    """Where a cluster lies, and the languages to think in for its questions, best first."""

    centre: Vector
    languages: tuple[str, ...]


Routes = Mapping[str, Sequence[Cluster]]  # language of the question -> its clusters


def vector(text: str) -> Vector:
    """How often each run of three signs occurs, by a hash of it, scaled to length 1; all digits count as one."""
    plain = "".join("0" if sign.isdigit() else sign for sign in f"  {' '.join(text.lower().split())}  ")
    runs = Counter(zlib.crc32(plain[start : start + 3].encode()) % PLACES for start in range(len(plain) - 2))
    length = sqrt(sum(count * count for count in runs.values()))
    return {place: count / length for place, count in sorted(runs.items())}


def similarity(one: Vector, other: Vector) -> float:
    """The cosine of two vectors of length 1."""
    return sum(value * other.get(place, 0.0) for place, value in one.items())


def centres(vectors: Sequence[Vector], count: int, seed: int) -> list[Vector]:
    """At most `count` of the vectors: the first drawn evenly, each further one with a chance in proportion to its squared distance
    from the nearest (k-means++)."""
    draw = random.Random(seed)
    chosen = [draw.choice(vectors)] if vectors else []
    while 0 < len(chosen) < count:
        distances = [max(0.0, 2 - 2 * max(similarity(one, other) for other in chosen)) for one in vectors]
        if max(distances) < 1e-9:
            break
        chosen += draw.choices(vectors, distances)
    return chosen


def nearest(one: Vector, clusters: Sequence[Vector]) -> int:
    """The place of the centre that is most alike, of several the first."""
    likeness = [similarity(one, centre) for centre in clusters]
    return likeness.index(max(likeness))


def routes_of(answers: Sequence[Answered], clusters: int, seed: int, first: str) -> dict[str, list[Cluster]]:
    """The table that answers give: in each cluster languages by the share of right answers, of equal ones `first` first, then by
    code."""
    table: dict[str, list[Cluster]] = {}
    for code in sorted({answer.language for answer in answers}):
        own = [answer for answer in answers if answer.language == code]
        texts = {answer.question: vector(answer.question) for answer in own}
        middle = centres(list(texts.values()), clusters, seed)
        right: list[Counter[str]] = [Counter() for _ in middle]
        there: list[Counter[str]] = [Counter() for _ in middle]
        for answer in own:
            place = nearest(texts[answer.question], middle)
            there[place][answer.thought_in] += 1
            right[place][answer.thought_in] += answer.right
        table[code] = [
            Cluster(centre, tuple(sorted(asked, key=lambda c: (-good[c] / asked[c], c != first, c))))
            for centre, good, asked in zip(middle, right, there, strict=True)
        ]
    return table


def write_routes(path: Path, table: Routes) -> None:
    """Write a table as JSON."""
    content = {
        code: [{"languages": cluster.languages, "centre": cluster.centre} for cluster in clusters]
        for code, clusters in table.items()
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@lru_cache(maxsize=4)
def read_routes(path: str) -> Routes:
    """The table of a file. Raises `UserError` where it holds none."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return {
            code: [
                Cluster({int(place): float(value) for place, value in row["centre"].items()}, tuple(row["languages"]))
                for row in clusters
            ]
            for code, clusters in content.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: is no table of routes ({type(error).__name__}: {error}). Make one with python -m src routes RUN"
        ) from None
