"""Files that are whole or not there: written aside, flushed to disk, then renamed into place."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from src.common.errors import UserError


class CheckpointError(UserError):
    """A checkpoint cannot be written or used; the message states the rule, the value and the fix."""


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and have the system put it on disk before returning."""
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Replace a file in one step: a reader, or a run after a crash, sees the old or the new content."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(temporary, content)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise explain(error, path, len(content)) from error


def explain(error: OSError, path: Path, size: int) -> CheckpointError:
    """An operating-system error while writing, as one that tells what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        rule = f"the disk is full: {path} needs {size / 1e6:.1f} MB"
    else:
        rule = f"{path} could not be written ({error.strerror or error})"
    return CheckpointError(
        f"{rule}. Nothing written earlier is lost. Make room, then run the same command again: it resumes from "
        "the last complete checkpoint"
    )


def end_with_a_line(path: Path) -> None:
    """End a file of JSON lines with a whole one: what follows the last line break is cut, or ended where only the break
    lacks. Where there is no file, an empty one is made."""
    with path.open("a+b") as handle:
        handle.seek(0)
        content = handle.read()
        end = content.rfind(b"\n") + 1
        if end == len(content):
            return
        try:
            json.loads(content[end:])
            handle.write(b"\n")
        except ValueError:
            handle.truncate(end)
        handle.flush()
        os.fsync(handle.fileno())


def open_to_others(path: Path) -> None:
    """The mode that a new file has (0666 less the umask), for one whose writer keeps it to its owner."""
    umask = os.umask(0o077)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


def flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
