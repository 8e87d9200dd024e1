"""In which language rollouts were over training, counted by hand."""

import pytest

from src.reporting.flow import flow_of
from src.store.records import ROLLOUTS
from src.store.rollouts import write_rollouts
from tests.helpers.damage import halve


def rollouts(folder, step, languages):
    """A file of one step; `languages`: (of the question, detected) of each rollout."""
    empty = dict.fromkeys(column.name for column in ROLLOUTS)
    write_rollouts(folder, step, [empty | {"language": asked, "detected": detected} for asked, detected in languages])


def test_shares_by_language_of_the_question_over_two_seeds(tmp_path):
    rollouts(tmp_path / "one", 1, [("th", "en"), ("th", "en"), ("th", "th"), ("sw", None)])
    rollouts(tmp_path / "one", 2, [("th", "th"), ("th", "other")])
    rollouts(tmp_path / "two", 1, [("th", "th")])
    flow = flow_of([tmp_path / "one", tmp_path / "two"])
    assert flow.steps == {"sw": [1.0], "th": [1.0, 2.0]}
    assert flow.shares == {
        "sw": {"unknown": [1.0]},
        "th": {"en": [0.5, 0.0], "other": [0.0, 0.5], "th": [0.5, 0.5]},
    }


def test_long_trainings_are_told_in_spans_and_damaged_files_are_left_out(tmp_path):
    for step in range(1, 7):
        rollouts(tmp_path, step, [("fr", "en" if step < 4 else "fr")])
    halve(tmp_path / "step-000006.parquet")
    flow = flow_of([tmp_path], bins=3)
    assert flow.steps["fr"] == [1.5, 3.5, 5.5]
    assert flow.shares["fr"] == {"en": [1.0, 0.5, 0.0], "fr": [0.0, 0.5, 1.0]}
    assert all(sum(at) == pytest.approx(1) for at in zip(*flow.shares["fr"].values(), strict=True))


def test_no_rollouts_have_no_flow(tmp_path):
    assert flow_of([tmp_path]).shares == {}
