"""Files of other tools: what each row becomes."""

import json

import pyarrow
import pytest
from pyarrow import parquet

from src.data.completions import read_completions
from src.data.formats import Layout, joined, read_rows
from src.data.readers import BadData
from src.data.records import Question

BOX = "Deux.\n</think>\n\\boxed{2}"


def put(tmp_path, name, *rows):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(path, **layout):
    return read_completions(path, layout=Layout(**layout))


def harness(number, filter_name="strict-match", **more):
    return {
        "doc_id": number,
        "doc": {"question": "Combien ?", "answer": None, "answer_number": 2},
        "target": "2",
        "arguments": {"gen_args_0": {"arg_0": "Question : Combien ?"}},
        "resps": [[BOX, "Trois.</think>\\boxed{3}"]],
        "filtered_resps": ["2"],
        "filter": filter_name,
        "exact_match": 1.0,
    } | more


def test_samples_of_lm_evaluation_harness(tmp_path):
    path = put(
        tmp_path,
        "samples_mgsm_direct_fr_2025-03-01T10-00-00.000001.jsonl",
        *(harness(number, name) for name in ("strict-match", "flexible-extract") for number in (0, 1)),
    )
    rows = read(path)
    question = Question("0", "fr", "Combien ?", "2")
    assert [(row.question.problem, row.sample) for row in rows] == [("0", 0), ("0", 1), ("1", 0), ("1", 1)]
    assert rows[0].question == question and rows[0].text == BOX


def test_a_folder_of_samples_is_read_as_languages_of_one_task(tmp_path):
    for code in ("fr", "sw"):
        put(tmp_path / "m", f"samples_mgsm_direct_{code}_2025-03-01T10-00-00.jsonl", harness(0))
    put(tmp_path / "m", "results_2025-03-01T10-00-00.json", {"results": {}})
    assert {row.question.language for row in read(tmp_path)} == {"fr", "sw"}
    put(tmp_path / "m", "samples_gsm8k_fr_2025-03-01T10-00-00.jsonl", harness(0))
    with pytest.raises(BadData, match="is the number of a row, and stands in"):
        read(tmp_path)


def test_solutions_and_letters_as_targets(tmp_path):
    solved = harness(0, doc={"question": "?"}, target="1 + 1 = 2\n#### 2")
    letter = harness(1, doc={"question": "?"}, target="(B)")
    one, _, two, _ = read(put(tmp_path, "samples_task.jsonl", solved, letter), language="sw")
    assert (one.question.gold, two.question.gold, two.question.kind) == ("2", "B", "choice")
    likelihood = harness(0, resps=[[[-2.5, False]], [[-0.5, True]]])
    with pytest.raises(BadData, match="has no completions"):
        read(put(tmp_path, "samples_task.jsonl", likelihood), language="sw")


def test_details_of_lighteval(tmp_path):
    row = {
        "doc": {"query": "Combien ?", "choices": ["2"], "gold_index": [0], "task_name": "mgsm:fr", "id": "4"},
        "model_response": {"text": ["\\boxed{2}", BOX], "reasonings": ["Deux.", None], "text_post_processed": None},
        "metric": {"extractive_match": 1.0},
    }
    rows = read(put(tmp_path, "details_mgsm:fr|0_2025-03-01T10-00-00.parquet", row))
    assert [item.text for item in rows] == ["<think>\nDeux.\n</think>\n\n\\boxed{2}", BOX]
    assert rows[1].question == Question("4", "fr", "", "2") and rows[1].sample == 1
    choice = {**row, "doc": {**row["doc"], "choices": ["un", "deux", "trois"], "gold_index": [2]}}
    assert read(put(tmp_path, "details_x.parquet", choice), language="fr")[0].question.gold == "C"


def test_older_details_of_lighteval(tmp_path):
    row = {
        "example": "?",
        "predictions": "['\\\\\\\\boxed{2}']",
        "gold": "[' 72']",
        "choices": "[' 72']",
        "gold_index": "[0]",
    }
    (item,) = read(put(tmp_path, "details_harness|gsm8k|5_2024-01-01T00.parquet", row), language="en")
    assert (item.question.gold, item.question.problem, item.text) == ("72", "0", "\\\\boxed{2}")


def test_completions_of_trl(tmp_path):
    rows = [{"step": 5, "prompt": "Combien ?", "completion": BOX, "accuracy_reward": 1.0, "advantage": 0.5}] * 2
    path = put(tmp_path, "completions_00005.parquet", *rows)
    known = {"test": [Question("9", "fr", "Combien ?", "2")]}
    both = read_completions(path, known)
    assert [(item.question, item.sample) for item in both] == [(known["test"][0], 0), (known["test"][0], 1)]
    with pytest.raises(BadData, match="fields 'language', 'gold': missing"):
        read(path)


def test_rollouts_and_generations_of_verl(tmp_path):
    rollout = {"input": "user\nCombien ?\nassistant\n", "output": BOX, "gts": "2", "score": 1.0, "step": 10}
    (item,) = read(put(tmp_path, "10.jsonl", rollout), language="French")
    assert (item.question.gold, item.question.language, item.text) == ("2", "fr", BOX)
    assert item.question.problem.startswith("prompt-")
    generated = {
        "data_source": "d",
        "prompt": [{"role": "user", "content": "Combien ?"}],
        "reward_model": {"ground_truth": "2", "style": "rule"},
        "responses": [BOX, "Trois"],
    }
    rows = read(put(tmp_path, "out.parquet", generated), language="fr")
    assert [(item.sample, item.text, item.question.gold) for item in rows] == [(0, BOX, "2"), (1, "Trois", "2")]


def batch(name, finish="stop", **message):
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    return {
        "id": "b",
        "custom_id": name,
        "response": {"status_code": 200, "body": {"choices": [choice], "usage": {"completion_tokens": 12}}},
        "error": None,
    }


def test_the_output_of_a_batch(tmp_path):
    known = {"test": [Question(name, "fr", "?", "2") for name in ("1", "2", "3")]}
    path = put(
        tmp_path,
        "batch.jsonl",
        batch("1", content=BOX),
        batch("2", content="\\boxed{2}", reasoning_content="Deux."),
        batch("3", finish="length", content=None, reasoning_content="Deux et"),
    )
    one, two, three = read_completions(path, known, layout=Layout(language="fr"))
    assert (one.text, one.tokens, one.truncated) == (BOX, 12, False)
    assert two.text == "<think>\nDeux.\n</think>\n\n\\boxed{2}"
    assert (three.text, three.truncated) == ("<think>\nDeux et", True)
    failed = {"custom_id": "4", "response": {"status_code": 500, "body": {"error": "overloaded"}}, "error": None}
    with pytest.raises(BadData, match="line 1, field 'response': holds no completion of '4' .*overloaded"):
        read(put(tmp_path, "batch.jsonl", failed), language="fr")


def test_chats_and_lists_of_samples(tmp_path):
    chat = {
        "id": 1,
        "language": "fr",
        "gold": 2,
        "messages": [
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": [{"type": "text", "text": BOX}]},
        ],
    }
    assert read(put(tmp_path, "chat.jsonl", chat))[0].text == BOX
    with pytest.raises(BadData, match="must end with a message of the assistant"):
        read(put(tmp_path, "chat.jsonl", {**chat, "messages": chat["messages"][:1]}))
    samples = {"id": 1, "language": "fr", "gold": 2, "completion": [BOX, "x"]}
    assert [(row.sample, row.text) for row in read(put(tmp_path, "own.jsonl", samples))] == [(0, BOX), (1, "x")]


def test_a_file_that_is_named_as_a_language_is_in_it_but_other_names_say_nothing(tmp_path):
    row = {"id": 1, "completion": "x", "gold": "2"}
    assert read(put(tmp_path, "de.jsonl", row))[0].question.language == "de"
    assert read(put(tmp_path, "pt-BR.jsonl", row))[0].question.language == "pt"
    for name in ("gemma-2-9b-it.jsonl", "run.jsonl"):
        with pytest.raises(BadData, match="field 'language': missing"):
            read(put(tmp_path, name, row))


def test_reasoning_that_the_content_holds_already_is_not_put_before_it_again():
    assert joined({"content": "a</think>b", "reasoning_content": "a"}) == "a</think>b"
    assert joined({"content": "b", "reasoning": "a"}) == "<think>\na\n</think>\n\nb"
    assert joined({"content": "b", "reasoning": None}) == "b"
    assert joined({"role": "assistant"}) is None


def test_a_format_can_be_named(tmp_path):
    row = {"id": 1, "language": "fr", "gold": "2", "completion": "x", "messages": []}
    assert read_rows(put(tmp_path, "x.jsonl", row), Layout("own"))[0][1]["format"] == "own"
    with pytest.raises(BadData, match="field 'messages'"):
        read_rows(put(tmp_path, "x.jsonl", row), Layout("messages"))
