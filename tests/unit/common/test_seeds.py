"""Streams of random numbers."""

from src.common.seeds import stream


def test_streams_differ_in_every_part_and_never_change():
    assert stream("rollout", 0, 1, 2) != stream("rollout", 0, 2, 1)
    assert stream("rollout", 0, 1, 2) == 1598873731056578900
