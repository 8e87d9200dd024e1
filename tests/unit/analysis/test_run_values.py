"""The final values of a run, against a calculation by hand and against the table of its report."""

import pandas
import pytest

from src.analysis.domains import domains_of
from src.analysis.run_values import run_values
from src.analysis.statistics import cells
from src.common.errors import UserError
from src.reporting import tables
from tests.helpers.evaluation import records_of, write_evaluation
from tests.helpers.stamps import stamp_seen


def test_run_values_by_hand(tmp_path):
    """Languages weigh the same, whatever they have of problems: accuracy is (3/4 + 1/2) / 2."""
    values = run_values(write_evaluation(tmp_path), 100)
    assert values["dev/accuracy"] == pytest.approx(0.625)
    assert values["dev/fidelity"] == pytest.approx(0.5)
    assert values["dev/right_and_in_language"] == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert values["dev/tokens"] == pytest.approx(40.0)
    assert values["dev/hypervolume"] == pytest.approx(0.625 * 0.5 * (1 - 40 / 100))
    assert values["dev/code_switched"] == pytest.approx(0.5)
    assert values["dev/right_and_in_language/fr"] == pytest.approx(0.25)
    assert values["dev/tokens/sw"] == pytest.approx(60.0)
    assert values["dev/hypervolume/sw"] == pytest.approx(0.5 * 0.5 * (1 - 60 / 100))
    names = (
        "accuracy",
        "fidelity",
        "right_and_in_language",
        "lcpr",
        "code_switched",
        "tokens",
        "truncated",
        "hypervolume",
    )
    assert set(values) == {f"dev/{name}{code}" for name in names for code in ("", "/fr", "/sw")}


def test_run_values_are_those_of_the_table(tmp_path):
    frame = pandas.read_parquet(write_evaluation(tmp_path))
    table = {
        row.domain: row.values for row in tables.summary({("grpo", "dev"): cells({0: frame}, "dev")}, domains_of([]))
    }
    values = run_values(tmp_path / "records.parquet", 100)
    for domain, code in (("all", ""), ("fr", "/fr"), ("sw", "/sw")):
        for metric in ("accuracy", "fidelity", "right and in language", "tokens", "LCPR"):
            assert values[f"dev/{metric.lower().replace(' ', '_')}{code}"] == pytest.approx(table[domain][metric].value)


def test_tokens_that_nobody_counted_have_no_value(tmp_path):
    values = run_values(write_evaluation(tmp_path, (None, None)), 100)
    assert "dev/accuracy" in values and not any("tokens" in name or "hypervolume" in name for name in values)


def test_more_tokens_than_the_budget_have_no_volume(tmp_path):
    assert run_values(write_evaluation(tmp_path), 40)["dev/hypervolume"] == 0.0
    with pytest.raises(UserError, match="budget of tokens above 0"):
        run_values(tmp_path / "records.parquet", 0)


def test_seen_and_unseen_languages_have_values_of_their_own(tmp_path):
    path = stamp_seen(write_evaluation(tmp_path), ["sw"])
    values = run_values(path, 100)
    assert values["dev/accuracy/seen"] == values["dev/accuracy/sw"]
    assert values["dev/accuracy/unseen"] == values["dev/accuracy/fr"]


def test_all_but_english_has_a_value_where_english_was_asked(tmp_path):
    """English 4 of 4 right, French 1 of 4: 0.625 over both, 0.25 without English."""
    frame = records_of(lambda number, code: code == "en" or number == 0)
    frame.to_parquet(tmp_path / "records.parquet")
    values = run_values(tmp_path / "records.parquet", 100)
    assert (values["test/accuracy"], values["test/accuracy/non-en"]) == (0.625, 0.25)
    assert values["test/accuracy/non-en"] == values["test/accuracy/fr"]
