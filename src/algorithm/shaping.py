"""What is added to the reward for anything but the answer and its language."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def overlong_penalty(tokens: Sequence[int], maximum: int, buffer: int, penalty: float) -> Tensor:
    """Soft overlong punishment [N] (DAPO, section 3.4): 0 up to `maximum` - `buffer` tokens, then down in a line to
    -`penalty` at `maximum`, and no lower.

    Args:
        tokens: length of each completion.
        buffer: how many tokens before `maximum` the punishment begins; above 0.
    """
    over = (torch.tensor(tokens, dtype=torch.float32) - (maximum - buffer)) / buffer
    return 0.0 - penalty * over.clamp(0.0, 1.0)
