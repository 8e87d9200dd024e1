"""Checksums of files that later work trusts, so that damage is found where it would give other numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def checksums(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """File, relative to `folder` -> its checksum."""
    return {path.relative_to(folder).as_posix(): checksum(path) for path in sorted(files)}


def damage(folder: Path, noted: Mapping[str, str]) -> str | None:
    """What is wrong with the first file of `noted` that is not as it was, or None."""
    for name, wanted in noted.items():
        path = folder / name
        if not path.is_file():
            return f"{path} is missing"
        if checksum(path) != wanted:
            return f"{path} is not what was written: its checksum differs"
    return None
