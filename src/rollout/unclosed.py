"""A warning where completions are read as if they marked their thinking, and hardly any does: none of them could be right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from src.language.trace import split_trace

FEWEST = 20  # completions to say something about
SHARE = 0.05  # of completions that close their thinking
_TAG = re.compile(r"</[A-Za-z][\w:-]{0,30}>|\[/[A-Z][A-Z_]{0,30}\]|<\|/?[A-Za-z_]{1,40}\|>")


def unclosed_note(completions: Sequence[str]) -> str | None:
    """A sentence for the user, naming the setting that fits; None where enough completions close their thinking."""
    unclosed = [text for text in completions if not split_trace(text).closed]
    closed = len(completions) - len(unclosed)
    if len(completions) < FEWEST or closed >= SHARE * len(completions):
        return None
    note = (
        f"{closed:,} of {len(completions):,} completions close their thinking (</think> or another tag that is known), and the "
        f"others count as wrong: if this model does not mark it, score with model.thinks=false; if they are cut off, allow "
        f"more with rollout.maximum_new_tokens"
    )
    tags = Counter(tag for text in unclosed for tag in set(_TAG.findall(text)))
    tag, count = tags.most_common(1)[0] if tags else ("", 0)
    if 2 * count > len(unclosed):
        note += f". {count:,} of the others hold {tag}: if that closes the thinking, write </think> for it"
    return note
