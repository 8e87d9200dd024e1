"""Random seeds by name: a number from (seed, purpose, step, item), so that resuming needs no saved state."""

from __future__ import annotations

import hashlib


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on all `parts` and on nothing else (no process, rank or platform)."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
