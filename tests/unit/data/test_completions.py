"""Saved completions: what is read, and that a bad row is named and nothing is lost."""

import json

import pandas
import pytest

from src.data.completions import Completion, languages_to_look_up, read_completions
from src.data.formats import Layout, read_rows
from src.data.readers import BadData
from src.data.records import Question

GOOD = {"id": 7, "language": "fr", "completion": "Deux.</think>\\boxed{2}", "gold": "2"}


def put(tmp_path, *rows):
    path = tmp_path / "saved.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_samples_are_counted_where_the_file_does_not_number_them(tmp_path):
    rows = read_completions(put(tmp_path, GOOD, GOOD, {**GOOD, "language": "ja", "id": 7.0}))
    assert [(row.question.language, row.sample) for row in rows] == [("fr", 0), ("fr", 1), ("ja", 0)]
    assert rows[0] == Completion(Question("7", "fr", "", "2"), "test", 0, GOOD["completion"], None, None)


def test_what_a_row_says_is_kept(tmp_path):
    more = {
        "sample": 3,
        "split": "dev",
        "question": "?",
        "kind": "choice",
        "part": "top",
        "tokens": 9,
        "truncated": True,
    }
    (row,) = read_completions(put(tmp_path, {**GOOD, **more, "gold": "B"}))
    question = Question("7", "fr", "?", "B", kind="choice", part="top")
    assert row == Completion(question, "dev", 3, GOOD["completion"], 9, True)


def test_a_gold_that_is_left_out_comes_from_the_benchmark(tmp_path):
    path = put(tmp_path, {k: v for k, v in GOOD.items() if k != "gold"})
    assert languages_to_look_up(read_rows(path, Layout())) == {"test": ["fr"]}
    (row,) = read_completions(path, {"test": [Question("7", "fr", "Combien ?", "2", part="low")]})
    assert row.question == Question("7", "fr", "Combien ?", "2", part="low")
    other = {"dev": [Question("7", "fr", "?", "2")], "test": [Question("7", "ja", "?", "2")]}
    with pytest.raises(BadData, match=r"line 1, field 'gold': missing, and the benchmark has no problem '7' in fr"):
        read_completions(path, other)
    assert languages_to_look_up(read_rows(put(tmp_path, GOOD), Layout())) == {}


def test_parquet_is_read_too(tmp_path):
    pandas.DataFrame([GOOD, {**GOOD, "id": 8}]).to_parquet(tmp_path / "saved.parquet")
    assert [row.question.problem for row in read_completions(tmp_path / "saved.parquet")] == ["7", "8"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, r"line 2, field 'id'"),
        ({"language": "xx"}, r"line 2, field 'language': unknown language code 'xx'"),
        ({"completion": None}, r"line 2, field 'completion': missing"),
        ({"completion": 7}, r"line 2, field 'completion': must be a string"),
        ({"tokens": 10**400}, r"line 2, field 'tokens'"),
        ({"tokens": 1e30}, r"line 2, field 'tokens'"),
        ({"sample": 10**310}, r"line 2, field 'sample'"),
        ({"id": 10**310}, r"line 2, field 'id': a number must have at most 300 digits; got 311"),
        ({"gold": 7 * 10**4000}, r"line 2, field 'gold': a number must have at most 300 digits"),
        ({"gold": "so ... ####"}, r"line 2, field 'gold': an answer must follow ####"),
        ({"truncated": 2}, r"line 2, field 'truncated'"),
        ({"tokens": -1}, r"line 2, field 'tokens'"),
        ({"tokens": 1.5}, r"line 2, field 'tokens'"),
        ({"truncated": "no"}, r"line 2, field 'truncated'"),
        ({"kind": "essay"}, r"line 2, field 'kind'"),
        ({"sample": 0}, r"line 2, field 'sample': 0 of id '7' in fr is there already"),
        ({"gold": ""}, r"line 2, field 'gold'"),
        ({"gold": float("nan")}, r"line 2, field 'gold'"),
        ({"gold": "3"}, r"line 2, field 'gold': id '7' in fr has gold '3'"),
        ({"split": "../evil"}, r"line 2, field 'split'"),
        ({"split": ["a"]}, r"line 2, field 'split'"),
        ({"id": "\ud800"}, r"line 2, field 'id': must be valid Unicode"),
        ({"question": "\ud800"}, r"line 2, field 'question'"),
        ({"part": {}}, r"line 2, field 'part': must be a string"),
        ({"tokens": float("inf")}, r"line 2, field 'tokens'"),
    ],
)
def test_a_bad_row_is_named(tmp_path, change, message):
    with pytest.raises(BadData, match=message):
        read_completions(put(tmp_path, GOOD, {**GOOD, **change}))


def test_an_empty_completion_is_one_and_an_empty_file_is_none(tmp_path):
    assert read_completions(put(tmp_path, {**GOOD, "completion": ""}))[0].text == ""
    with pytest.raises(BadData, match="holds no rows"):
        read_completions(put(tmp_path))
    (tmp_path / "saved.txt").write_text("text")
    with pytest.raises(BadData, match="files of data end in .jsonl, .ndjson"):
        read_completions(tmp_path / "saved.txt")


def test_a_problem_of_several_languages_must_be_there_in_all(tmp_path):
    rows = [{**GOOD, "language": c, "id": n} for c, n in (("fr", 1), ("ja", 1), ("fr", 2))]
    with pytest.raises(BadData, match=r"split test: problems .* id '2' has no row in ja \(1 such gaps\)"):
        read_completions(put(tmp_path, *rows))
    read_completions(put(tmp_path, *(row for row in rows if row["language"] == "fr")))
    read_completions(put(tmp_path, {**rows[0], "id": "a"}, {**rows[1], "id": "b"}))  # each language its own problems


@pytest.mark.parametrize("line", ["[" * 100_000, '{"tokens": ' + "9" * 5_000 + "}"])
def test_json_that_python_cannot_read_is_named(tmp_path, line):
    path = tmp_path / "saved.jsonl"
    path.write_text(line)
    with pytest.raises(BadData, match="line 1: not a JSON object"):
        read_completions(path)


def test_all_missing_fields_are_named_at_once_with_the_settings_that_give_them(tmp_path):
    path = put(tmp_path, {"answer_text": "\\boxed{2}", "meta": {"key": "2"}, "number": 4})
    with pytest.raises(BadData) as caught:
        read_completions(path)
    said = str(caught.value)
    assert "line 1, fields 'id', 'language', 'completion', 'gold': missing" in said
    assert "The row has answer_text, meta, number" in said
    assert "benchmark.language=<code>" in said and "benchmark.fields.completion=<field>" in said
    fields = {"id": "number", "completion": "answer_text", "gold": "meta.key"}
    (row,) = read_completions(path, layout=Layout(language="fr", fields=fields))
    assert row == Completion(Question("4", "fr", "", "2"), "test", 0, "\\boxed{2}", None, None)


@pytest.mark.parametrize(
    ("tag", "code"), [("fr-FR", "fr"), ("PT", "pt"), ("zh_Hans", "zh"), ("jpn_Jpan", "ja"), ("Swahili", "sw")]
)
def test_language_tags_are_read(tmp_path, tag, code):
    assert read_completions(put(tmp_path, {**GOOD, "language": tag}))[0].question.language == code


def test_a_solution_of_gsm8k_is_its_last_line(tmp_path):
    (row,) = read_completions(put(tmp_path, {**GOOD, "gold": "3 and 4 are <<3+4=7>>7\n#### 7"}))
    assert row.question.gold == "7"


def test_whether_it_was_cut_off_may_be_a_number(tmp_path):
    rows = read_completions(put(tmp_path, {**GOOD, "truncated": 0}, {**GOOD, "truncated": 1}))
    assert [row.truncated for row in rows] == [False, True]


def test_a_question_is_found_by_the_text_of_the_prompt(tmp_path):
    known = {
        "test": [
            Question("1", "fr", "Combien font deux et trois ?", "5"),
            Question("1", "de", "Wie viel sind zwei und drei?", "5"),
            Question("2", "de", "Wie viel sind zwei und drei? Und das doppelt?", "10"),
        ]
    }
    few = "Beispiel: Wie viel sind zwei und drei?\nAntwort: 5\n\n"
    path = put(
        tmp_path,
        {"prompt": f"{few}Aufgabe: Wie viel sind zwei und drei? Und das doppelt?", "completion": "x"},
        {"prompt": "user\nCombien font  deux et trois ?\nassistant", "completion": "y", "step": 3, "advantage": 0.5},
    )
    assert languages_to_look_up(read_rows(path, Layout())) == {"test": None}
    first, second = read_completions(path, known)
    assert (first.question, second.question) == (known["test"][2], known["test"][0])
    with pytest.raises(BadData, match=r"fields 'language', 'gold': missing, and the benchmark has no such question"):
        read_completions(put(tmp_path, {"prompt": "Combien font deux et quatre ?", "completion": "y"}), known)


def test_only_the_languages_of_rows_without_golds_are_looked_up(tmp_path):
    bare = {name: value for name, value in GOOD.items() if name != "gold"}
    path = put(tmp_path, {**bare, "language": "fr-CA"}, {**GOOD, "language": "de"}, {**bare, "split": "dev"}, bare)
    assert languages_to_look_up(read_rows(path, Layout())) == {"test": ["fr"], "dev": ["fr"]}
