"""The language weights of AdaMame: who reasons in the language of the query, and who in a rare one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor


def match(reasoning: Sequence[str | None], query: Sequence[str]) -> Tensor:
    """m [N]: 1 where the reasoning is in the language of the query, else 0; 0 when it is unknown (None)."""
    return torch.tensor([float(r is not None and r == q) for r, q in zip(reasoning, query, strict=True)])


def rarity(reasoning: Sequence[str | None], groups: Sequence[Hashable]) -> Tensor:
    """n / n_lang - 1 [N]: 0 where the whole group reasons in one language, n - 1 where nobody else does.

    n is the size of the rollout's group and n_lang how many of the group reason in the same language; unknown
    counts as a language of its own.
    """
    size = Counter(groups)
    same = Counter(zip(groups, reasoning, strict=True))
    return torch.tensor([size[g] / same[g, r] - 1.0 for g, r in zip(groups, reasoning, strict=True)])
