"""A limit of time on what may never come back: the process says what it waits for, and ends."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
from collections.abc import Callable, Iterator

TIMED_OUT = 3  # exit code


def end_process(message: str) -> None:
    """Print what was waited for and where every thread stands, and end the process at once with `TIMED_OUT`: what hangs
    would not let Python clean up."""
    print(f"error: {message}", file=sys.stderr, flush=True)
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback(file=sys.__stderr__)
    os._exit(TIMED_OUT)


@contextlib.contextmanager
def limit(
    seconds: float, waited: str, fix: str, rank: int = 0, end: Callable[[str], None] = end_process
) -> Iterator[None]:
    """Call `end` from another thread unless the block is left within `seconds`.

    The message is "rank R has waited N s for <waited>; <fix>", and that the run goes on by the same command.
    """
    text = (
        f"rank {rank} has waited {seconds:g} s for {waited}; {fix}. The same command goes on from the last checkpoint"
    )
    timer = threading.Timer(seconds, end, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
