"""Streams of random numbers."""

from src.common.seeds import derive_seed


def test_streams_differ_in_every_part_and_never_change():
    assert derive_seed("rollout", 0, 1, 2) != derive_seed("rollout", 0, 2, 1)
    assert derive_seed("rollout", 0, 1, 2) == 1598873731056578900
