"""The published metrics from records, by hand."""

import pandas
import pytest

from src.analysis.published import published

COLUMNS = (
    "language",
    "problem",
    "sample",
    "published_correct",
    "published_consistent",
    "published_line_pass",
    "published_word_pass",
    "published_code_switched",
    "published_ttc",
)


def test_published_metrics_by_hand():
    rows = [
        ("fr", "a", 0, False, True, True, True, False, 0.1),
        ("fr", "a", 1, True, True, True, False, False, 0.1),
        ("fr", "b", 0, True, False, False, True, True, 0.3),
        ("fr", "b", 1, False, True, True, True, False, 0.3),
        ("ja", "a", 0, True, True, True, True, False, 0.2),
    ]
    frame = pandas.DataFrame(rows, columns=COLUMNS)
    french = published(frame, ["fr"])
    # First samples: a wrong, b right. WPR of the passing: a (1 + 0) / 2, b 1, so 0.75. LCPR: 2 x .75 x .75 / 1.5.
    assert french == pytest.approx(
        {
            "Pass@1": 0.5,
            "Pass@k": 1.0,
            "consistency": 0.75,
            "LPR": 0.75,
            "WPR": 0.75,
            "LCPR": 0.75,
            "code-switched": 0.25,
            "TTC": 0.2,
        }
    )
    assert published(frame, ["fr", "ja"])["Pass@1"] == pytest.approx(0.75) and published(frame, ["ko"]) is None


def test_languages_the_published_detection_does_not_know_are_left_out():
    rows = [
        ("fr", "a", 0, True, True, True, True, False, 0.1),
        ("sw", "a", 0, False, None, None, None, None, 0.3),
    ]
    frame = pandas.DataFrame(rows, columns=COLUMNS)
    both = published(frame, ["fr", "sw"])
    assert both == published(frame, ["fr"])
    assert published(frame, ["sw"]) == {"Pass@1": 0.0, "Pass@k": 0.0, "TTC": 0.3}


def test_of_completions_without_any_trace_only_answers_are_judged():
    frame = pandas.DataFrame([("fr", "a", 0, True, False, True, True, False, 0.1)], columns=COLUMNS)
    assert set(published(frame.assign(completion="12"), ["fr"])) == {"Pass@1", "Pass@k", "TTC"}
    assert "LPR" in published(frame.assign(completion="a</think>12"), ["fr"])
