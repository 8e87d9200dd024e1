"""What a user must be told of a set of completions of which hardly any can be right."""

from __future__ import annotations

from collections.abc import Sequence

from src.rollout.endless import endless_note
from src.rollout.unclosed import unclosed_note


def note_of(
    completions: Sequence[str], truncated: Sequence[bool | None], thinks: bool, budget: int | None
) -> str | None:
    """A sentence; None where some completions end, and close their thinking if the model `thinks`. `budget` is how many
    tokens each was given (None: nobody knows)."""
    endless = None if budget is None else endless_note(completions, truncated, budget)
    return endless or (unclosed_note(completions) if thinks else None)
