"""What a run leaves in its directory while it works, for `src.store.status` to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from src.store.directory import ERROR, LOCK, STATUS


@contextmanager
def mark_running(directory: Path) -> Iterator[None]:
    """Around a run: its lock is held while it works, its stages write their progress to its status file (unless whoever
    started it named another in ADAMAME_STATUS), and the error that it ends with is kept."""
    import fcntl

    launched = "ADAMAME_STATUS" in os.environ
    os.environ.setdefault("ADAMAME_STATUS", str((directory / STATUS).resolve()))
    (directory / ERROR).unlink(missing_ok=True)
    with (directory / LOCK).open("w") as handle:
        with suppress(OSError):  # another process does the same run, or the file system has no locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield
        except Exception as error:
            with suppress(OSError):  # the disk may be full
                (directory / ERROR).write_text(f"{type(error).__name__}: {error}\n", encoding="utf-8")
            raise
        finally:
            if not launched:
                del os.environ["ADAMAME_STATUS"]
