"""The errors that are addressed to a user, who needs one message and no stack trace."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right. The message states the rule, the value and the fix."""
