"""Which groups are trained on.

A filter leaves out groups that would teach nothing; another sampling round may fill their place.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

NOTICEABLE = 1e-4  # a smaller change of an advantage is the 1e-6 beside the standard deviation, not the language


def has_contrast(advantage: Tensor, groups: Sequence[int]) -> list[int]:
    """The groups, in drawing order, within which the advantages [N] differ: the others teach nothing (DAPO, section 3.2).

    Args:
        advantage: [N], one for each rollout.
        groups: [N], the number of the prompt that each rollout answers.
    """
    of_group: dict[int, list[float]] = {}
    for group, value in zip(groups, advantage.tolist(), strict=True):
        of_group.setdefault(group, []).append(value)
    return [group for group, values in sorted(of_group.items()) if max(values) - min(values) > NOTICEABLE]
