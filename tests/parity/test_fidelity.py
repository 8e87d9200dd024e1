"""fidelity.json: removal of mathematics and word purity as published. What asks the published detector is not
reproduced: this project judges lines with a detector of its own (src/language/detector.py)."""

import pytest
from golden import golden

from src.language.fidelity import word_pass
from src.language.mathematics import strip_mathematics

ROWS = golden("fidelity.json")


def test_mathematics_is_removed_as_published():
    assert ROWS
    for row in ROWS:
        assert strip_mathematics(row["trace"]) == row["stripped"]


def test_words_pass_as_published():
    checked = [row for row in ROWS if row["word_pass"] is not None]
    assert checked
    for row in checked:
        assert word_pass(row["trace"], row["query_language"]) == row["word_pass"], row


@pytest.mark.parametrize("field", ["detected", "line_pass", "code_switching", "code_switch_languages"])
def test_the_published_detector(field):
    pytest.xfail(f"{field} as published is not yet supported")
