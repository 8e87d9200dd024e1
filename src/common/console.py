"""What every command prints alike: errors, and durations."""

from __future__ import annotations

import sys


def clock(seconds: float) -> str:
    """`1:02:03`, without hours where there are none."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def note(message: str) -> None:
    """Print what a user should know, though nothing has failed."""
    print(f"note: {message}", file=sys.stderr)


def fail(message: str) -> int:
    """Print an error; the exit code of a user's mistake."""
    print(f"error: {message}", file=sys.stderr)
    return 2
