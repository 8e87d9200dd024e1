"""Benchmarks: each file format is read as it is published, and a malformed row is named."""

import csv
import json
from collections import Counter

import pyarrow
import pytest
from pyarrow import parquet

from src.data import fetch as fetching
from src.data.benchmarks import base
from src.data.benchmarks.dapo_math import DapoMath
from src.data.benchmarks.gpqa_diamond import GpqaDiamond
from src.data.benchmarks.mgsm import Mgsm
from src.data.benchmarks.mgsm_rev2 import MgsmRev2
from src.data.benchmarks.mmath import Mmath
from src.data.benchmarks.mmlu_math import MmluMath
from src.data.benchmarks.mmlu_pro_medicine import MmluProMedicine
from src.data.benchmarks.msvamp import Msvamp
from src.data.benchmarks.polymath import Polymath
from src.data.readers import BadData
from src.data.records import Question
from src.data.world.spec import WorldSpec
from tests.helpers.paths import DATA

COMMIT = "0" * 40


def shared(name):
    """A folder of published data, or a skip that says why."""
    if not (DATA / name).is_dir():
        pytest.skip(f"no published data: {DATA / name} does not exist; set SHARED_DATA")
    return str(DATA / name)


def questions(benchmark, *languages, split="test"):
    return benchmark.questions(split, languages or benchmark.languages(), WorldSpec(), None)


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_parquet(path, rows):
    path.parent.mkdir(exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def test_mgsm(tmp_path):
    (tmp_path / "mgsm_fr.tsv").write_text("Combien ?\t18\nEt « ça » ?\t70,000\n", encoding="utf-8")
    loaded = questions(Mgsm(path=str(tmp_path)), "fr")
    assert loaded == [Question("1", "fr", "Combien ?", "18"), Question("2", "fr", "Et « ça » ?", "70000")]


def test_a_mark_of_the_byte_order_reaches_no_question(tmp_path):
    (tmp_path / "mgsm_fr.tsv").write_text("\ufeffCombien ?\t18\n", encoding="utf-8")
    assert questions(Mgsm(path=str(tmp_path)), "fr") == [Question("1", "fr", "Combien ?", "18")]
    row = {"id": 1, "question": "\ufeffCombien ?", "answer": "2"}
    (tmp_path / "fr.jsonl").write_text("\ufeff" + json.dumps(row, ensure_ascii=False), encoding="utf-8")
    assert questions(MgsmRev2(path=str(tmp_path)), "fr") == [Question("1", "fr", "Combien ?", "2")]


def test_an_id_that_stands_twice_is_named_with_both_rows(tmp_path):
    rows = [{"id": number, "question": "?", "answer": "2"} for number in (1, 2, 1)]
    write_lines(tmp_path / "fr.jsonl", rows)
    with pytest.raises(BadData, match=r"fr.jsonl, line 3: .* '1' in fr is there already: .*fr.jsonl, line 1"):
        questions(MgsmRev2(path=str(tmp_path)), "fr")
    for code in ("fr", "vi"):
        (tmp_path / f"{code}.json").write_text(json.dumps([MMATH[0]] * (1 + (code == "vi"))), encoding="utf-8")
    with pytest.raises(BadData, match=r"vi.json, entry 2: .* '0' in vi is there already"):
        questions(Mmath(path=str(tmp_path)), "fr", "vi")
    for level in ("low", "medium", "high", "top"):
        same = {"id": f"{level}-it-0", "question": "?", "answer": "5"}
        write_parquet(tmp_path / "it" / f"{level}.parquet", [same] * (1 + (level == "top")))
    with pytest.raises(BadData, match=r"top.parquet, row 2: .* 'top-0' in it is there already"):
        questions(Polymath(path=str(tmp_path)), "it")


def test_dollars_within_a_gold_answer_of_polymath_stay(tmp_path):
    for level in ("low", "medium", "high", "top"):
        row = {"id": f"{level}-it-0", "question": "?", "answer": "$x=0$ and $x=2$" if level == "top" else "$5$"}
        write_parquet(tmp_path / "it" / f"{level}.parquet", [row])
    assert [row.gold for row in questions(Polymath(path=str(tmp_path)), "it")] == ["5", "5", "5", "$x=0$ and $x=2$"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no tab", "line 2: must be question, tab, answer; got 0 tabs"),
        ("q\tmany", "line 2, field 'answer': must be an integer; got 'many'"),
        ("\t3", "line 2, field 'question': must be a non-empty string"),
    ],
)
def test_mgsm_names_a_malformed_line(tmp_path, line, message):
    (tmp_path / "mgsm_en.tsv").write_text(f"Q\t1\n{line}\n", encoding="utf-8")
    with pytest.raises(BadData, match=message):
        questions(Mgsm(path=str(tmp_path)), "en")


def test_msvamp(tmp_path):
    row = {"query": "how many ?", "equation": "- number0 number1", "response": "8.0", "m_query": "กี่คน"}
    write_lines(tmp_path / "test_Thai.json", [row])
    assert questions(Msvamp(path=str(tmp_path)), "th") == [Question("1", "th", "กี่คน", "8.0")]
    write_lines(tmp_path / "test_Thai.json", [row, {**row, "m_query": None}])
    with pytest.raises(BadData, match=r"test_Thai.json, line 2, field 'm_query'"):
        questions(Msvamp(path=str(tmp_path)), "th")


MMATH = [
    {
        "question": "$s+\\frac{1}{2}$?",
        "answer": "204",
        "data_source": "aime2024",
        "data_source_id": 0,
        "lang": "vi",
        "gid": 0,
    },
    {"question": "$q$?", "answer": "$2\\sqrt{2}$", "data_source": "CNMO", "data_source_id": 9, "lang": "vi", "gid": 54},
    {"question": "196?", "answer": "9", "data_source": "MATH500", "data_source_id": 3, "lang": "vi", "gid": 63},
]


def test_mmath_and_its_parts(tmp_path):
    (tmp_path / "vi.json").write_text(json.dumps(MMATH), encoding="utf-8")
    loaded = questions(Mmath(path=str(tmp_path)), "vi")
    assert [(row.problem, row.part, row.gold) for row in loaded] == [
        ("0", "aime2024", "204"),
        ("54", "cnmo", "2\\sqrt{2}"),
        ("63", "math500", "9"),
    ]
    assert loaded[0].question == "$s+\\frac{1}{2}$?"
    aime = Mmath(path=str(tmp_path), parts=["aime2024", "aime2025"])
    assert [row.problem for row in questions(aime, "vi")] == ["0"]
    assert aime.identity() != Mmath(path=str(tmp_path)).identity()
    assert "benchmark.parts must be among" in Mmath(parts=["amc"]).violations()[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "vi.json: not JSON"),
        ("{}", "vi.json: must be a list of JSON objects; got dict"),
        ("[3]", "vi.json, entry 1: must be a JSON object; got int"),
        (json.dumps([MMATH[0], {**MMATH[1], "gid": True}]), "vi.json, entry 2, field 'gid'"),
    ],
)
def test_mmath_names_a_malformed_entry(tmp_path, text, message):
    (tmp_path / "vi.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadData, match=message):
        questions(Mmath(path=str(tmp_path)), "vi")


def test_polymath(tmp_path):
    for code in ("it", "ms"):
        for level in ("low", "medium", "high", "top"):
            row = {"id": f"{level}-{code}-0", "question": f"{level} {code}", "answer": "$5$"}
            write_parquet(tmp_path / code / f"{level}.parquet", [row])
    loaded = questions(Polymath(path=str(tmp_path)), "it", "ms")
    assert [row.problem for row in loaded] == ["low-0", "medium-0", "high-0", "top-0"] * 2
    assert loaded[7] == Question("top-0", "ms", "top ms", "5", part="top")
    write_parquet(tmp_path / "it" / "low.parquet", [{"id": "low-0", "question": "q", "Answer": "5"}])
    with pytest.raises(BadData, match=r"it/low.parquet, row 1, field 'answer'"):
        questions(Polymath(path=str(tmp_path)), "it")
    (tmp_path / "it" / "low.parquet").write_text("text")
    with pytest.raises(BadData, match="not a parquet file"):
        questions(Polymath(path=str(tmp_path)), "it")


def test_mmlu_math(tmp_path):
    row = {
        "sample_id": "college_mathematics/test/0",
        "subject": "college_mathematics",
        "question": "Q?",
        "option_a": "1",
        "option_b": "2",
        "option_c": "3",
        "option_d": "4",
        "answer": "C",
    }
    file = tmp_path / "ko" / "test-00000-of-00001.parquet"
    write_parquet(file, [{**row, "subject": "virology"}, row])
    loaded = questions(MmluMath(path=str(tmp_path)), "ko")
    assert loaded == [
        Question(
            "college_mathematics/test/0",
            "ko",
            "Q?\n\nA. 1\nB. 2\nC. 3\nD. 4",
            "C",
            kind="choice",
            part="college_mathematics",
        )
    ]
    write_parquet(file, [{**row, "answer": "E"}])
    with pytest.raises(BadData, match="row 1, field 'answer': must be one of A, B, C, D; got 'E'"):
        questions(MmluMath(path=str(tmp_path)), "ko")


def test_mmlu_pro_medicine_has_up_to_ten_options(tmp_path):
    row = {"question_id": 70, "question": "Q?", "answer": "J", "category": "health"}
    ten = row | {f"option_{index}": f"o{index}" for index in range(10)}
    three = ten | {"question_id": 71, "answer": "C"} | {f"option_{index}": None for index in range(3, 10)}
    file = tmp_path / "sw" / "test-00000-of-00001.parquet"
    write_parquet(file, [ten, three, {**ten, "category": "law"}])
    first, second = questions(MmluProMedicine(path=str(tmp_path)), "sw")
    assert first.gold == "J" and first.question.endswith("\nJ. o9") and first.kind == "choice"
    assert second == Question("71", "sw", "Q?\n\nA. o0\nB. o1\nC. o2", "C", kind="choice")
    write_parquet(file, [{**three, "answer": "D"}])
    with pytest.raises(BadData, match="must be one of A, B, C; got 'D'"):
        questions(MmluProMedicine(path=str(tmp_path)), "sw")
    write_parquet(file, [{**ten, "option_4": None}])
    with pytest.raises(BadData, match="row 1, field 'option_4'"):
        questions(MmluProMedicine(path=str(tmp_path)), "sw")


def gpqa(question):
    wrong = {f"Incorrect Answer {index}": f"wrong {index}" for index in (1, 2, 3)}
    return {"Question": question, "Correct Answer": "right", **wrong}


def write_diamond(path, *texts):
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, ["Question"])
        writer.writeheader()
        writer.writerows({"Question": text} for text in texts)


def test_gpqa_diamond_is_picked_by_the_english_text(tmp_path):
    write_lines(tmp_path / "gpqa_en.jsonl", [gpqa("One?"), gpqa("Two\r\nlines?"), gpqa("Three?")])
    write_lines(tmp_path / "gpqa_ja.jsonl", [gpqa("一"), gpqa("二"), gpqa("三")])
    write_diamond(tmp_path / "gpqa_diamond.csv", "Three?", "Two\n\nlines?")
    loaded = questions(GpqaDiamond(path=str(tmp_path)), "en", "ja")
    assert [(row.problem, row.language) for row in loaded] == [("2", "en"), ("3", "en"), ("2", "ja"), ("3", "ja")]
    assert [row.gold for row in loaded[:2]] == [row.gold for row in loaded[2:]]
    for row in loaded:
        assert f"{row.gold}. right" in row.question.split("\n\n")[-1].splitlines()
    write_diamond(tmp_path / "gpqa_diamond.csv", "Three?", "Four?")
    with pytest.raises(BadData, match="holds 1 of the 2 questions"):
        questions(GpqaDiamond(path=str(tmp_path)), "en")
    write_diamond(tmp_path / "gpqa_diamond.csv", "Three?")
    write_lines(tmp_path / "gpqa_ja.jsonl", [gpqa("一")])
    with pytest.raises(BadData, match=r"gpqa_ja.jsonl: has 1 rows, but gpqa_en.jsonl has 3"):
        questions(GpqaDiamond(path=str(tmp_path)), "ja")


def test_options_are_shuffled_the_same_way_each_time_and_not_all_the_same():
    assert base.shuffled(["a", "b", "c", "d"], "7") == base.shuffled(["a", "b", "c", "d"], "7")
    places = Counter(base.shuffled(["a", "b", "c", "d"], str(problem))[1] for problem in range(400))
    assert set(places) == {0, 1, 2, 3} and min(places.values()) > 60  # 100 each on average
    options, right = base.shuffled(["a", "b", "c", "d"], "7")
    assert options[right] == "a" and sorted(options) == ["a", "b", "c", "d"]


def dapo(language="pt", content="Coloque em \\boxed{}.\n\nQuanto é\n\n$1+1$?", gold="2"):
    return {
        "prompt": [{"content": content, "role": "user"}],
        "reward_model": {"ground_truth": gold, "lang": language, "style": "rule"},
        "lang": language,
    }


def test_dapo_math(tmp_path):
    write_parquet(tmp_path / "val.parquet", [dapo("fr"), dapo()])
    benchmark = DapoMath(path=str(tmp_path))
    loaded = questions(benchmark, "pt", "fr", split="val")
    assert loaded == [
        Question("pt-1", "pt", "Quanto é\n\n$1+1$?", "2"),
        Question("fr-0", "fr", "Quanto é\n\n$1+1$?", "2"),
    ]
    assert benchmark.splits() == ("train_1k", "train_5k", "val")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (dapo(language="xx"), "row 1, field 'lang'"),
        (dapo() | {"prompt": []}, "row 1, field 'prompt'"),
        (dapo() | {"reward_model": None}, "row 1, field 'reward_model'"),
        (dapo(content="No instruction.\n\nQ?"), "row 1, field 'content'"),
        (dapo(gold=""), "row 1, field 'ground_truth'"),
    ],
)
def test_dapo_math_names_a_malformed_row(tmp_path, row, message):
    write_parquet(tmp_path / "val.parquet", [row])
    with pytest.raises(BadData, match=message):
        questions(DapoMath(path=str(tmp_path)), "pt", split="val")


@pytest.mark.parametrize(
    ("benchmark", "folder", "languages", "rows"),
    [(Mgsm, "mgsm", 11, 250), (MgsmRev2, "mgsm_rev2", 12, 250), (Msvamp, "msvamp", 10, 1000)],
)
def test_every_row_of_the_published_data_loads(benchmark, folder, languages, rows):
    loaded = questions(benchmark(path=shared(folder)))
    counts = Counter(row.language for row in loaded)
    assert len(counts) == languages and set(counts.values()) == {rows}
    assert {len({row.problem for row in loaded if row.language == code}) for code in counts} == {rows}


@pytest.mark.parametrize(("split", "rows"), [("train_1k", 1000), ("train_5k", 5000), ("val", 250)])
def test_every_row_of_the_training_prompts_loads(split, rows):
    loaded = questions(DapoMath(path=shared("dapo_math")), split=split)
    assert Counter(row.language for row in loaded) == dict.fromkeys(("fr", "ja", "ko", "pt", "th"), rows // 5)
    assert not any("\\boxed{}" in row.question for row in loaded)


def test_a_file_comes_from_the_folder_of_the_pinned_commit(tmp_path, monkeypatch):
    asked = []

    def fetched(source, revision, name):
        asked.append((source, revision, name))
        (tmp_path / "file").write_text("Q\t1\n", encoding="utf-8")
        return tmp_path / "file"

    monkeypatch.setattr(base, "fetch", fetched)
    questions(Mgsm(source="github:o/n", revision=COMMIT, folder="mgsm"), "en")
    assert asked == [("github:o/n", COMMIT, "mgsm/mgsm_en.tsv")]
    with pytest.raises(BadData, match=r"revision=None"):
        questions(Mgsm(source="github:o/n"), "en")


def test_github_is_asked_once_for_a_file(tmp_path, monkeypatch):
    asked = []

    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def read(self):
            return b"Q\t1\n"

    def opened(address, timeout):
        asked.append(address)
        return Answer()

    monkeypatch.setenv("ADAMAME_CACHE", str(tmp_path))
    monkeypatch.setattr(fetching.urllib.request, "urlopen", opened)
    for _ in range(2):
        assert fetching.fetch("github:o/n", COMMIT, "a b.tsv").read_bytes() == b"Q\t1\n"
    assert asked == [f"https://raw.githubusercontent.com/o/n/{COMMIT}/a%20b.tsv"]


def test_a_failed_download_says_what_to_do(monkeypatch):
    def refused(name, revision, file):
        raise OSError("401")

    monkeypatch.setattr(fetching, "_hub", refused)
    with pytest.raises(BadData, match=r"gpqa_en.jsonl of hub:o/n at 0+ could not be downloaded \(401\).*HF_TOKEN"):
        questions(GpqaDiamond(source="hub:o/n", revision=COMMIT), "en")
