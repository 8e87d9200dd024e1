"""fidelity.json: every field, by the published definitions (src/language/published.py)."""

import pytest

from src.language.mathematics import strip_mathematics
from src.language.published import judge_published
from tests.helpers.golden import golden

ROWS = golden("fidelity.json")
FIELDS = {
    "detected": "detected",
    "line_pass": "line_pass",
    "word_pass": "word_pass",
    "code_switching": "code_switched",
    "code_switch_languages": "languages",
}


@pytest.fixture(scope="module")
def judged():
    assert ROWS
    return [judge_published(row["trace"], row["query_language"]) for row in ROWS]


def test_mathematics_is_removed_as_published():
    assert ROWS
    for row in ROWS:
        assert strip_mathematics(row["trace"]) == row["stripped"], row


@pytest.mark.parametrize("field", FIELDS)
def test_fidelity_as_published(judged, field):
    checked = [
        (row, ours) for row, ours in zip(ROWS, judged, strict=True) if row[field] is not None or field == "detected"
    ]
    assert checked
    for row, ours in checked:
        value = getattr(ours, FIELDS[field])
        assert (sorted(row[field]) == list(value)) if field == "code_switch_languages" else (row[field] == value), row
