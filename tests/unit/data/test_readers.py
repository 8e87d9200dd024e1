"""Containers of rows: each ending is read, and what is malformed is named."""

import gzip
import json
from decimal import Decimal

import pyarrow
import pytest
from pyarrow import parquet

from src.data.readers import BadData, gold_of, rows_of, text_lines, text_of, undollared

ROWS = [{"a": "un", "b": "x, y"}, {"a": "deux", "b": "zwei\ndrei"}]
TABLE = 'a{0}b\nun{0}"x, y"\ndeux{0}"zwei\ndrei"\n'


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("jsonl", "\n".join(map(json.dumps, ROWS))),
        ("NDJSON", "\n".join(map(json.dumps, ROWS))),
        ("json", json.dumps(ROWS)),
        ("json", "\n\n".join(map(json.dumps, ROWS))),
        ("csv", TABLE.format(",")),
        ("tsv", TABLE.format("\t")),
    ],
)
def test_every_ending_is_read_packed_or_not(tmp_path, ending, text, mark):
    content = (mark + text).encode()
    plain = tmp_path / f"rows.{ending}"
    plain.write_bytes(content)
    packed = tmp_path / f"rows.{ending}.GZ"
    packed.write_bytes(gzip.compress(content))
    for path in (plain, packed):
        assert [row for _, row in rows_of(path)] == ROWS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.xlsx", b"", "files of data end in"),
        ("rows.jsonl.gz", b"no gzip", "not a gzip file"),
        ("rows.jsonl.gz", gzip.compress(b"{}" * 999, mtime=0)[:20], "not a gzip file"),
        ("rows.csv", b"a,b\n1\n", "line 2: must have as many cells as the head, 2"),
        ("rows.csv", b"a,b\n1,2,3\n", "line 2: must have as many cells"),
        ("rows.csv", b"a\n\xff\n", "not UTF-8"),
        ("rows.csv", b'a\n"x"y\n', "after line 1: not a table"),
    ],
)
def test_what_is_malformed_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadData, match=message):
        list(rows_of(path))


def test_text_in_parquet_that_is_not_utf_8_is_named_with_row_and_field(tmp_path):
    texts = pyarrow.Array.from_buffers(
        pyarrow.string(), 2, [None, pyarrow.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pyarrow.py_buffer(b"a\xff")]
    )
    parquet.write_table(pyarrow.table({"id": ["1", "2"], "text": texts}), tmp_path / "x.parquet")
    with pytest.raises(BadData, match=r"x\.parquet, row 2, field 'text': must be valid UTF-8"):
        list(rows_of(tmp_path / "x.parquet"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (7.0, "7"),
        (0.5, "0.5"),
        (Decimal("7.50"), "7.5"),
        (Decimal("100"), "100"),
        (2**99, str(2**99)),
        (1e30, "1e+30"),
    ],
)
def test_numbers_are_written_out(value, text):
    assert text_of({"x": value}, "x", "here") == text


@pytest.mark.parametrize("value", [None, True, " ", "\ufeff", float("inf"), Decimal("NaN"), 10**300, [1]])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(BadData, match="here, field 'x'"):
        text_of({"x": value}, "x", "here")


def test_a_number_longer_than_python_writes_is_refused():
    with pytest.raises(BadData, match="here, field 'x': a number must have at most 300 digits"):
        text_of({"x": 1 << 20_000}, "x", "here")


def test_golds_are_what_follows_the_mark_of_a_solution():
    assert gold_of({"x": "12 - 5 = 7\n#### 7 "}, "x", "here") == "7"
    assert gold_of({"x": "#### 3\n#### -4"}, "x", "here") == "-4"
    assert gold_of({"x": "2^4"}, "x", "here") == "2^4"


@pytest.mark.parametrize(
    ("gold", "clean"),
    [
        ("$5$", "5"),
        ("$$x^2$$", "x^2"),
        ("$a$, $b$", "$a$, $b$"),
        ("$x=1$ or $x=2$", "$x=1$ or $x=2$"),
        ("5", "5"),
        ("$18", "$18"),
    ],
)
def test_dollars_around_one_formula_are_dropped(gold, clean):
    assert undollared(gold) == clean


def test_lines_have_no_mark_of_the_byte_order(tmp_path):
    (tmp_path / "x.tsv").write_bytes("\ufeffa\nb".encode())
    assert text_lines(tmp_path / "x.tsv") == ["a", "b"]
