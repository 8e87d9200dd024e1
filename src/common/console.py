"""What every command does alike: errors in one sentence, durations, and how it ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from src.common.errors import UserError

INTERRUPTED = 130  # exit code, as shells have it
FULL = (errno.ENOSPC, errno.EDQUOT)


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


def printed(make: Callable[[], str]) -> int:
    """Print what `make` gives; the exit code, 2 for a user's mistake."""
    try:
        print(make())
    except UserError as error:
        return fail(str(error))
    return 0


def show_every_sign() -> None:
    """Have what the terminal's encoding lacks (LC_ALL=C) printed as an escape, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def carry_out(command: Callable[[], int]) -> int:
    """The exit code of a command: a user's mistake, an interrupt, a full disk or a reader that has gone (`| head`) end it
    without a stack trace."""
    show_every_sign()
    try:
        code = command()
        sys.stdout.flush()
        return code
    except UserError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\ninterrupted; the same command again resumes", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to be flushed at exit
        return 0
    except OSError as error:
        if error.errno in FULL:
            return fail(f"the disk is full ({error.filename}). Make room, then give the same command again: it resumes")
        if error.errno in (errno.EACCES, errno.EROFS):
            return fail(f"{error.filename}: {(error.strerror or 'no access').lower()}. Give a place that you may use")
        raise
