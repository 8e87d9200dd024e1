"""The language weights of AdaMame: who reasons in the language of the query, and who in a rare one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor


def match(reasoning: Sequence[str | None], query: Sequence[str]) -> Tensor:
    """m [N]: 1 where the reasoning is in the language of the query, else 0; 0 when it is unknown (None)."""
    return torch.tensor([float(r is not None and r == q) for r, q in zip(reasoning, query, strict=True)])


def alignment_weight(matches: Tensor, factor: Tensor | float) -> Tensor:
    """q = 1 + B g(t) m [N] (AdaMame, alignment factor); `factor` is B g(t), one number or one for each rollout."""
    return 1.0 + factor * matches


def diversity_weight(reasoning: Sequence[str | None], groups: Sequence[Hashable], decay: float) -> Tensor:
    """a = 1 + (n / n_lang - 1) d(t) [N] (AdaMame, diversity factor).

    n is the size of the rollout's group and n_lang how many of the group reason in the same language; unknown
    counts as a language of its own.
    """
    size = Counter(groups)
    same = Counter(zip(groups, reasoning, strict=True))
    ratio = [size[g] / same[g, language] for g, language in zip(groups, reasoning, strict=True)]
    return 1.0 + (torch.tensor(ratio) - 1.0) * decay


def diversity_decay(progress: float) -> float:
    """d(t) = (1 + cos(pi t / T)) / 2, from 1 to 0 over training; `progress` is t / T."""
    return (1.0 + math.cos(math.pi * progress)) / 2.0
