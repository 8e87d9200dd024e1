"""What identifies a model on disk: a hash of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

WEIGHTS_AND_SETTINGS = (".safetensors", ".json", ".bin")


def fingerprint(folder: Path, suffixes: Collection[str] = WEIGHTS_AND_SETTINGS) -> str:
    """A short hash of the files of a model folder: their sizes, and of each up to 64 samples of 64 KiB."""
    sums = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.suffix in suffixes):
        size = file.stat().st_size
        sums.update(f"{file.name} {size}".encode())
        with file.open("rb") as handle:
            for place in range(0, size, max(65_536, size // 64)):
                handle.seek(place)
                sums.update(handle.read(65_536))
    return sums.hexdigest()[:16]
