"""One process at a time: a lock that the system drops when its holder ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from src.common.errors import UserError

NO_LOCKS = (
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.ENOLCK,
    errno.EINVAL,
)  # Lustre without `flock`, some NFS


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder (it stands beside it); where another run holds it, wait. On a file system without locks
    that is said, and the work goes on: two runs at once are then the user's to avoid."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.parent / f".{folder.name}.lock"
    try:
        opened = path.open("w")
    except OSError as error:
        raise UserError(f"{path}: a lock must be a file that can be written ({error.strerror}). Delete it") from None
    with opened as handle:
        try:
            _take(handle, folder)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            print(
                f"{path} cannot be locked: this file system has no locks. Do not start the same run twice at a time",
                file=sys.stderr,
                flush=True,
            )
        yield


def _take(handle: IO[str], folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting: another run is at work on {folder}", flush=True)
        fcntl.flock(handle, fcntl.LOCK_EX)
