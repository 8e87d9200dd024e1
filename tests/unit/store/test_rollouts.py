"""Rollouts on disk: written, read, and cut back to a step."""

from src.store.records import ROLLOUTS
from src.store.rollouts import read_rollouts, steps_of, truncate_rollouts, write_rollouts

EMPTY = dict.fromkeys(column.name for column in ROLLOUTS)


def test_rollouts_are_written_read_and_cut_back(tmp_path):
    for step in (1, 2, 3):
        write_rollouts(tmp_path, step, [EMPTY | {"step": step, "completion": "là"}])
    truncate_rollouts(tmp_path, 2)
    assert steps_of(tmp_path) == [1, 2]
    assert read_rollouts(tmp_path, 2) == [EMPTY | {"step": 2, "completion": "là"}]
