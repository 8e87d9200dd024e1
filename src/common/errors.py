"""The errors that are addressed to a user, who needs one message and no stack trace."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class UserError(Exception):
    """Something the user can put right. The message states the rule, the value and the fix."""


class ConfigError(UserError):
    """A configuration that cannot run; the message lists every broken rule with its value and the fix."""


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """` Did you mean 'x'?` to end an error message with, empty where nothing valid is near."""
    close = difflib.get_close_matches(wrong, list(valid), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def nearest(wrong: str, valid: Sequence[str]) -> str:
    """`Did you mean 'x'? ` where one is near, and the valid names, for error messages."""
    close = difflib.get_close_matches(wrong, valid, n=1, cutoff=0.4)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Valid here: {', '.join(sorted(valid))}"
