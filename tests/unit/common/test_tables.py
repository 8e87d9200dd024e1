"""The one writer of tables: aligned text, markdown and CSV, cell for cell."""

from src.common.tables import Table, pairs

TABLE = Table(("name", "count"), [("one", "1,000"), ("a|b", ""), ("all", None)])


def test_markdown_keeps_empty_cells_apart_from_cells_that_are_not_there():
    assert TABLE.markdown() == "| name | count |\n|---|---|\n| one | 1,000 |\n| a\\|b |  |\n| all | |"
    assert TABLE.markdown(rule=" --- |").splitlines()[1] == "| --- | --- |"


def test_text_is_aligned_and_has_no_spaces_at_its_end():
    assert TABLE.text() == "name  count\none   1,000\na|b\nall"
    assert TABLE.text(right=True) == "name  count\none   1,000\na|b\nall"
    assert Table(("a", "b"), [("x", "1"), ("y", "1,234")]).text(right=True) == "a      b\nx      1\ny  1,234"


def test_csv_is_quoted_where_needed():
    assert TABLE.csv() == 'name,count\r\none,"1,000"\r\na|b,\r\nall,\r\n'
    assert Table(("a",), [("1",)]).csv(line_end="\n") == "a\n1\n"


def test_names_and_values_stand_in_two_columns_without_a_head():
    assert pairs({"command": "a | b", "seed": 1}).markdown() == "| | |\n|---|---|\n| command | a / b |\n| seed | 1 |"
