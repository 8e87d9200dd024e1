"""Data files: what is wrong with them is said with file, line and field."""

import json

import pytest

from src.data.readers import BadData
from src.data.records import Example, Question, read_records, write_records

GOOD = {"problem": "p", "language": "fr", "question": "Combien ?", "gold": "3"}


def put(tmp_path, *lines):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def test_what_is_written_is_read(tmp_path):
    examples = [Example("p", "ja", "いくつ？", "3", "りんご\n</think>\\boxed{3}")]
    write_records(tmp_path / "x.jsonl", examples)
    assert read_records(tmp_path / "x.jsonl", Example) == examples


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{not json", r"data\.jsonl, line 2: not a JSON object"),
        (b'{"a": "\xff"}', r"line 2: not a JSON object"),
        ([1, 2], r"line 2: a row must be a JSON object; got list"),
        ({**GOOD, "gold": True}, r"line 2, field 'gold': must be a non-empty string or a number; got True"),
        ({**GOOD, "gold": 10**305}, r"line 2, field 'gold': a number must have at most 300 digits; got 306"),
        ({**GOOD, "question": "a\ud800"}, r"line 2, field 'question': must be valid Unicode"),
        ({**GOOD, "problem": "a\udfff"}, r"line 2, field 'problem': must be valid Unicode"),
        ({"language": "fr"}, r"line 2, fields 'problem', 'question', 'gold': missing\. .* this one has language"),
        ({**GOOD, "question": " "}, r"line 2, field 'question'"),
        ({k: v for k, v in GOOD.items() if k != "gold"}, r"line 2, field 'gold': missing"),
        ({**GOOD, "language": "sv"}, r"line 2, field 'language': unknown language code 'sv'"),
    ],
)
def test_a_bad_row_is_named(tmp_path, line, message):
    with pytest.raises(BadData, match=message):
        read_records(put(tmp_path, GOOD, line), Question)


def test_a_missing_and_an_empty_file_are_errors(tmp_path):
    with pytest.raises(BadData, match="no such file"):
        read_records(tmp_path / "none.jsonl", Question)
    with pytest.raises(BadData, match="holds no rows"):
        read_records(put(tmp_path, b""), Question)


def test_numbers_tags_of_languages_and_solutions_are_read(tmp_path):
    row = {"problem": 7, "language": "fr-CA", "question": "\ufeffCombien ?", "gold": 3.0}
    assert read_records(put(tmp_path, row), Question) == [Question("7", "fr", "Combien ?", "3")]
    (solved,) = read_records(put(tmp_path, {**GOOD, "gold": "1 + 2 = 3\n#### 3"}), Question)
    assert solved.gold == "3"


def test_a_table_is_read_too(tmp_path):
    path = tmp_path / "data.CSV"
    path.write_text('\ufeffproblem,language,question,gold,part\n1,fr,"Combien, en tout ?",3,\n', encoding="utf-8")
    assert read_records(path, Question) == [Question("1", "fr", "Combien, en tout ?", "3")]
