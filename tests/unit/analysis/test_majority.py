"""The majority's answer, by hand."""

import pytest

from src.analysis.majority import maj_at_k


@pytest.mark.parametrize(
    ("answers", "right", "language", "expected"),
    [
        (["7", "7", "8"], [True, True, False], "en", 1.0),
        (["7", "8", "8"], [True, False, False], "en", 0.0),
        (["7", "8"], [True, False], "en", 0.5),  # a tie of two
        (["7", "8", "9", "7", "8", "9"], [True, False, False] * 2, "en", 1 / 3),  # of three
        (["7", None, None], [True, False, False], "en", 1.0),  # what was not read does not vote
        ([None, None], [False, False], "en", 0.0),
        (["0.75", "3/4", "4", "4", "\\frac34"], [True, True, False, False, True], "en", 1.0),
        (["2,5", "2.5", "3"], [True, True, False], "de", 1.0),
        (["1.500", "1500", "1.5"], [True, True, False], "de", 1.0),  # thousands in German
        (["x+1", "x + 1", "y"], [True, True, False], "en", 2 / 3),  # texts must be equal
        (["30%", "30", "1"], [True, False, False], "en", 0.5),  # one answer, of which half of the votes are right
    ],
)
def test_by_hand(answers, right, language, expected):
    assert maj_at_k(answers, right, language) == pytest.approx(expected)
