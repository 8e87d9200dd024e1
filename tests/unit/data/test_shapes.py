"""Rows as data sets of the hub hold them: chats, prompts with completions, columns of other names."""

import json
import sys
from types import SimpleNamespace

import pyarrow
import pytest
from pyarrow import parquet

from src.data.benchmarks.jsonl import Jsonl
from src.data.formats import Layout
from src.data.readers import BadData
from src.data.records import Example, Question, read_records
from src.data.sources import grpo_questions, identity, sft_examples
from src.data.spec import DataSpec
from src.data.world.spec import WorldSpec

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASKED = "Kuna ndege saba, wawili wanaruka. Wamebaki wangapi?"
TRACE = "Saba kutoa mbili ni tano.\n</think>\n\n\\boxed{5}"


def put(tmp_path, *rows, name="rows.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [user(ASKED), assistant(TRACE)]},
        {"messages": [{"role": "system", "content": "Be brief."}, user(ASKED), assistant(TRACE)]},
        {"messages": [user([{"type": "text", "text": ASKED}]), assistant(TRACE)]},
        {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": TRACE}]},
        {"prompt": ASKED, "completion": TRACE},
        {"prompt": [user(ASKED)], "completion": [assistant(TRACE)]},
        {"prompt": [user(ASKED)], "completion": TRACE},
    ],
)
def test_chats_and_prompts_are_examples(tmp_path, row):
    path = put(tmp_path, {"id": 3, "language": "sw", "gold": 5, **row})
    assert read_records(path, Example) == [Example("3", "sw", ASKED, "5", TRACE)]


def test_reasoning_in_a_field_of_its_own_goes_before_the_answer(tmp_path):
    row = {"messages": [user(ASKED), assistant("\\boxed{5}", reasoning_content="Saba kutoa mbili ni tano.")]}
    (example,) = read_records(put(tmp_path, {"language": "sw", **row}), Example)
    assert example.completion == "<think>\nSaba kutoa mbili ni tano.\n</think>\n\n\\boxed{5}"
    assert example.gold == ""  # a chat need not say it; then its box is compared with nothing


@pytest.mark.parametrize(
    "chat",
    [
        [user("Un ?"), assistant("1"), user("Deux ?"), assistant("2")],
        [user("Un ?"), assistant("1"), user("Deux ?")],
        [assistant("1"), user("Un ?")],
        [assistant("1")],
    ],
)
def test_a_chat_of_several_turns_is_refused_and_named(tmp_path, chat):
    with pytest.raises(
        BadData, match=r"rows.jsonl, line 1, field 'messages': must be one question and at most one answer"
    ):
        read_records(put(tmp_path, {"language": "fr", "messages": chat}), Example)


def test_prompts_of_verl_are_questions(tmp_path):
    row = {
        "prompt": [user(ASKED)],
        "reward_model": {"style": "rule", "ground_truth": "5"},
        "data_source": "x",
        "language": "sw",
    }
    (question,) = read_records(put(tmp_path, row), Question)
    assert (question.question, question.gold) == (ASKED, "5")


def test_a_question_must_have_a_gold_answer_whatever_its_shape(tmp_path):
    with pytest.raises(BadData, match=r"field 'gold': missing.*data.fields"):
        read_records(put(tmp_path, {"prompt": ASKED, "language": "sw"}), Question)
    with pytest.raises(BadData, match=r"field 'gold': missing"):
        read_records(put(tmp_path, {"question": ASKED, "language": "sw", "completion": TRACE}), Example)


def test_columns_are_mapped_and_not_read_twice(tmp_path):
    """`problem` is the text of the question there, and no id."""
    rows = [{"problem": f"{ASKED} {n}", "info": {"answer": n}, "tag": "te"} for n in (5, 6)]
    layout = Layout(fields={"question": "problem", "gold": "info.answer", "language": "tag"})
    one, two = read_records(put(tmp_path, *rows), Question, layout)
    assert (one.question, one.gold, one.language) == (f"{ASKED} 5", "5", "te")
    assert one.problem.startswith("prompt-") and one.problem != two.problem


def test_a_column_with_a_dot_in_its_name_is_found(tmp_path):
    row = {"question": ASKED, "extra.answer": "5", "language": "sw"}
    (question,) = read_records(put(tmp_path, row), Question, Layout(fields={"gold": "extra.answer"}))
    assert question.gold == "5"


def test_rows_without_an_id_get_one_where_no_row_has_any(tmp_path):
    row = {"question": ASKED, "gold": "5", "language": "sw"}
    first, again, other = read_records(put(tmp_path, row, row, row | {"question": "Je?"}), Question)
    assert first.problem == again.problem != other.problem
    with pytest.raises(BadData, match=r"line 2, field 'problem': missing"):
        read_records(put(tmp_path, row | {"problem": "1"}, row), Question)
    same = [row | {"id": 1}, row | {"id": 1, "question": "Je?"}]  # an id of something else
    assert len({question.problem for question in read_records(put(tmp_path, *same), Question)}) == 2


def test_a_language_for_all_rows_stands_where_a_row_names_none(tmp_path):
    row = {"question": ASKED, "gold": "5"}
    one, two = read_records(put(tmp_path, row, row | {"language": "fr"}), Question, Layout(language="sw"))
    assert (one.language, two.language) == ("sw", "fr")
    with pytest.raises(BadData, match=r"field 'language': missing.*data.language"):
        read_records(put(tmp_path, row), Question)


def test_data_and_benchmark_are_mapped_alike(tmp_path):
    """One parquet file of foreign columns, for SFT, for GRPO and to evaluate by."""
    path = tmp_path / "train.parquet"
    columns = {"prompt_text": [ASKED], "solution": ["7 - 2 = 5\n#### 5"], "trace": [TRACE], "uid": [11]}
    parquet.write_table(pyarrow.table(columns), path)
    fields = {"problem": "uid", "question": "prompt_text", "gold": "solution", "completion": "trace"}
    data = DataSpec(sft=str(path), prompts=str(path), fields=fields, language="swh")
    assert data.violations() == []
    assert sft_examples(data, WorldSpec(), 0) == [Example("11", "sw", ASKED, "5", TRACE)]
    assert grpo_questions(data, WorldSpec(), 1, 0) == [Question("11", "sw", ASKED, "5")]
    benchmark = Jsonl(questions_file=str(path), fields=fields, language="sw")
    assert benchmark.violations() == []
    assert benchmark.questions("test", ["sw"], WorldSpec(), None) == [Question("11", "sw", ASKED, "5")]
    assert benchmark.fingerprint() != Jsonl(questions_file=str(path)).fingerprint()
    assert identity(data, str(path)) != identity(DataSpec(), str(path))


def test_a_mapping_of_what_is_no_field_is_a_violation():
    (wrong,) = DataSpec(fields={"answer": "x"}).violations()
    assert wrong.startswith("data.fields must be among problem, language, question") and "got answer" in wrong
    (wrong,) = DataSpec(language="xx").violations()
    assert wrong.startswith("data.language: unknown language code 'xx'")


def test_a_split_of_the_hub_is_read_through_datasets(monkeypatch):
    asked = []

    def load_dataset(*where, **how):
        asked.append((where, how))
        return [{"messages": [user(ASKED), assistant(TRACE)], "language": "sw"}]

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    (example,) = read_records(f"hub:org/set@{COMMIT}", Example)
    assert example.completion == TRACE
    read_records(f"hub:org/set@{COMMIT}/test", Example)
    read_records(f"hub:org/set@{COMMIT}/main/test", Example)
    assert [(where[1], how["split"], how["revision"]) for where, how in asked] == [
        (None, "train", COMMIT),
        (None, "test", COMMIT),
        ("main", "test", COMMIT),
    ]


def test_what_the_hub_says_is_one_sentence(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionError("no route\nto host")

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=refuse))
    with pytest.raises(BadData, match=r"cannot be read \(ConnectionError: no route\)\. Check name, split and network$"):
        read_records(f"hub:org/set@{COMMIT}", Question)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        BadData, match=r"library datasets, which is not installed.*or name a file of the data set: hub:org/set@"
    ):
        read_records(f"hub:org/set@{COMMIT}/train", Question)


def test_a_hub_name_without_its_commit_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(BadData, match=r"org/set: no such file\..* a data set of the hub is hub:org/set@<commit>"):
        read_records("org/set", Question)
    with pytest.raises(BadData, match="with the full commit hash"):
        read_records("hub:org/set@main", Question)


def test_a_file_in_a_repository_is_fetched(monkeypatch, tmp_path):
    path = put(tmp_path, {"question": ASKED, "gold": "5", "language": "sw"}, name="train.jsonl")
    asked = []
    monkeypatch.setattr("src.data.hub.fetch", lambda *place: asked.append(place) or path)
    assert len(read_records(f"hub:org/set@{COMMIT}/data/train.jsonl", Question)) == 1
    assert asked == [("hub:org/set", COMMIT, "data/train.jsonl")]
    assert identity(DataSpec(), f"hub:org/set@{COMMIT}/data/train.jsonl") == f"hub:org/set@{COMMIT}/data/train.jsonl"
