"""Checksums of files that later work trusts, so that damage is found where it would give other numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from src.common.files import replace_durably

SEAL = "checksum"  # the key of a sealed note


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


def note_checksum(path: Path) -> None:
    """Keep the checksum of a file beside it, for a file that is trusted before its stage is finished."""
    replace_durably(_beside(path), checksum(path).encode())


def noted_damage(path: Path) -> str | None:
    """What is wrong with a file whose checksum may be kept beside it, or None; without one only that it is missing."""
    beside = _beside(path)
    noted = {path.name: beside.read_text(encoding="utf-8", errors="replace").strip()} if beside.is_file() else {}
    return damage(path.parent, noted) if noted or path.is_file() else f"{path} is missing"


def sealed(note: Mapping[str, Any]) -> dict[str, Any]:
    """A note with a checksum of its own; what JSON makes of it counts."""
    return {**note, SEAL: _sum_of(note)}


def is_whole(note: Mapping[str, Any]) -> bool:
    """Whether a note that was read is what was sealed; one without a seal counts as whole."""
    return SEAL not in note or note[SEAL] == _sum_of({key: value for key, value in note.items() if key != SEAL})


def _sum_of(note: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(note))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")
