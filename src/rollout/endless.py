"""A warning where no completion ever ends: the budget is too small, or the model ends its turns with another token."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

FEWEST = 20  # completions to say something about
_MARK = re.compile(r"<[|｜][^<>\s]{1,40}[|｜]>|</?[A-Za-z_]{1,20}>|\[/?[A-Z_]{2,20}\]")


def endless_note(completions: Sequence[str], truncated: Sequence[bool | None], budget: int) -> str | None:
    """A sentence for the user, naming the setting that fits; None where a completion ended, or there are few.

    Args:
        truncated: whether each of `completions` was cut off.
        budget: `rollout.maximum_new_tokens`.
    """
    if len(completions) < FEWEST or not all(truncated):
        return None
    note = (
        f"none of {len(completions):,} completions ended within rollout.maximum_new_tokens={budget}: allow more, or, if the "
        "model ends its turns with a token that its tokenizer, chat template and generation_config.json do not name, add that "
        "to eos_token_id in generation_config.json"
    )
    marks = Counter(mark for text in completions for mark in set(_MARK.findall(text)))
    mark, count = marks.most_common(1)[0] if marks else ("", 0)
    return note + (f". {count:,} of them hold {mark}" if 2 * count > len(completions) else "")
