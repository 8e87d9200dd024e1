"""How many languages a group reasons in; imports nothing heavy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence


def language_entropy(reasoning: Sequence[str | None], groups: Sequence[Hashable]) -> dict[Hashable, float]:
    """H / ln n of each group, in [0, 1]: the entropy of its languages, unknown being one; 0 in a group of one."""
    members: dict[Hashable, Counter[str | None]] = {}
    for group, language in zip(groups, reasoning, strict=True):
        members.setdefault(group, Counter())[language] += 1
    return {group: _entropy(counts) for group, counts in members.items()}


def _entropy(counts: Counter[str | None]) -> float:
    n = counts.total()
    if n == 1:
        return 0.0
    # Rounding may leave the unit interval by a unit in the last place.
    return min(1.0, max(0.0, -sum(count / n * math.log(count / n) for count in counts.values()) / math.log(n)))
