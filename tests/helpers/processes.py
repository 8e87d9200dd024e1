"""Processes that tests start and end."""

from __future__ import annotations

import signal


def heed_interrupts() -> None:
    """In a new process: a shell starts what goes on in the background, these tests perhaps, with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
