"""The ten lines that a report comes to."""

import pandas

from src.analysis.domains import domains_of
from src.analysis.statistics import Estimate, cells, p_text
from src.reporting import tables
from src.reporting.summary import METHODS, WIDTH, summary
from src.reporting.tables import Row

PROBLEMS = 20


def records(right):
    """20 problems in French and English; the first `right` are right and in the language of the question."""
    return pandas.DataFrame(
        {
            "split": "test",
            "problem": f"p{number}",
            "language": code,
            "correct": number < right,
            "in_language": True,
            "right_and_in_language": number < right,
            "line_pass": True,
            "word_pass": True,
            "code_switched": False,
            "tokens": 8,
            "truncated": False,
        }
        for number in range(PROBLEMS)
        for code in ("fr", "en")
    )


def study(**right):
    data = {(method, "test"): cells({0: records(count)}, "test") for method, count in right.items()}
    rows = [
        Row(
            method,
            "test",
            "all",
            {
                "accuracy": Estimate(count / PROBLEMS, 0.0, 1.0),
                "fidelity": Estimate(1.0, 1.0, 1.0),
                "right and in language": Estimate(count / PROBLEMS, 0.1, 0.9),
            },
        )
        for method, count in right.items()
    ]
    return rows, data


def test_the_table_and_the_paired_difference_by_hand():
    rows, data = study(base=0, grpo=5, adamame_grpo=20)
    lines = summary("Main", rows, data, "test", "adamame_grpo").splitlines()
    assert lines[0] == "Main: test, 20 problems x 2 languages, 1 seed"
    assert lines[1].split() == ["method", "accuracy", "in", "language", "correct", "and", "in", "language"]
    assert lines[4].split() == ["AdaMame-GRPO", "1.000", "1.000", "1.000", "[0.100,", "0.900]"]
    assert lines[5] == "AdaMame-GRPO against GRPO, correct and in language: higher,"
    assert lines[6].startswith("+0.750 [+0.5") and "], p < 0.001; non-en +0.750 [+0.5" in lines[6]
    assert max(map(len, lines)) <= WIDTH


def test_the_average_without_english_stands_beside_that_over_all():
    """A model that is right in English alone: 1/2 over both languages, nothing without English."""
    frame = records(PROBLEMS)
    frame["right_and_in_language"] = frame["language"] == "en"
    data = {(method, "test"): cells({0: frame}, "test") for method in ("grpo", "x" * 30)}
    rows = tables.summary(data, domains_of([], ("fr", "en")))
    lines = summary("Main", rows, data, "test", None).splitlines()
    assert lines[1].split()[-1] == "non-en"
    assert lines[2].split()[-3:] == ["[0.500,", "0.500]", "0.000"]
    assert max(map(len, lines)) <= WIDTH


def test_an_interval_that_covers_zero_shows_no_difference():
    rows, data = study(sft=10, grpo=10)
    assert "no difference shown" in summary("Main", rows, data, "test", "grpo")


def test_one_run_has_no_sentence_and_a_long_title_is_cut():
    rows, data = study(grpo=5)
    lines = summary("x" * 100, rows, data, "test", None).splitlines()
    assert len(lines) == 4 and len(lines[0]) == WIDTH and lines[0].endswith("...")
    assert lines[1] == "test, 20 problems x 2 languages, 1 seed"


def test_notes_are_wrapped_and_of_many_the_first_are_shown():
    rows, data = study(grpo=5)
    notes = [
        "problem p1 is left out: its gold answer is not graded right against itself, which no answer is",
        "b",
        "c",
        "d",
    ]
    lines = summary("Main", rows, data, "test", None, notes).splitlines()
    assert lines[3].startswith("note: problem p1 is left out") and max(map(len, lines)) <= WIDTH
    assert lines[-2:] == ["note: c", "1 more notes in the table"]


def test_of_many_methods_the_best_and_the_compared_one_are_shown():
    rows, data = study(**{f"method{number:02d}": number for number in range(15)})
    lines = summary("Search", rows, data, "test", "method00").splitlines()
    assert f"{15 - METHODS - 1} more methods in the table" in lines
    shown = [line.split()[0] for line in lines if line.strip().startswith("method0") or line.startswith("method1")]
    assert "method14" in shown and "method00" in shown and "method05" not in shown
    assert max(map(len, lines)) <= WIDTH and len(lines) <= 13


def test_a_p_value_at_the_floor_of_its_test_is_below():
    assert [p_text(value) for value in (1 / 10_001, 0.0009, 0.0312, float("nan"))] == [
        "p < 0.001",
        "p < 0.001",
        "p = 0.031",
        "no p value",
    ]
