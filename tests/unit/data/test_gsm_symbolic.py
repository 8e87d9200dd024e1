"""GSM-Symbolic: templates are read as the package ships them, and a malformed one is named."""

import importlib.util

import pytest

from src.commands import symbolic
from src.data.benchmarks.gsm_symbolic import PACKAGE, GsmSymbolic, split_of, worked_trace
from src.data.readers import BadData
from src.data.records import Example, Question, read_records
from src.data.world.spec import WorldSpec
from src.grading.grader import Grader, GraderSpec, Status

ANSWER = "Léa a 4 * 6 = <<4*6=24>>24 billes.\\nIl en reste 24 - 5 = <<24-5=19>>19.\\n\\n#### 19\\n"


def write_template(folder, code, number, question="Combien de billes ?", answer=ANSWER, more=""):
    file = folder / "data/templates" / code / "symbolic" / f"{number:04d}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'question = "{question}"\nanswer = "{answer}"\nlanguage = "{code}"\n{more}', encoding="utf-8")
    return file


@pytest.fixture
def package(tmp_path):
    for number in (2, 6, 7, 18):
        write_template(tmp_path, "fra", number)
    write_template(tmp_path, "fra", 9, more="ignore = true\n")
    write_template(tmp_path, "deu", 7, "Wie viele?", "Lea hat 2 + 2 = <<2+2=4>>4 Murmeln. #### 4")
    return tmp_path


def questions(folder, *languages, split="test"):
    return GsmSymbolic(path=str(folder)).questions(split, languages, WorldSpec(), None)


def test_a_template_gives_its_concrete_problem_and_what_is_ignored_gives_none(package):
    assert questions(package, "fr", "de") == [
        Question("gsm_symbolic-7", "fr", "Combien de billes ?", "19"),
        Question("gsm_symbolic-18", "fr", "Combien de billes ?", "19"),
        Question("gsm_symbolic-7", "de", "Wie viele?", "4"),
    ]


def test_held_out_templates_are_apart_by_their_last_digit(package):
    assert [split_of(number) for number in (0, 5, 6, 7, 9, 15, 16, 99)] == [
        "train",
        "train",
        "dev",
        "test",
        "test",
        "train",
        "dev",
        "test",
    ]
    assert [row.problem for row in questions(package, "fr", split="train")] == ["gsm_symbolic-2"]
    assert [row.problem for row in questions(package, "fr", split="dev")] == ["gsm_symbolic-6"]
    assert len(questions(package, "fr", split="all")) == 4


def test_a_worked_answer_is_a_trace_without_its_calculations_and_a_boxed_gold_answer(package):
    assert worked_trace("2 + 2 = <<2+2=4>>4.\n#### 4\n") == "2 + 2 = 4."
    (example,) = GsmSymbolic(path=str(package)).worked("train", ["fr"])
    assert example.completion == "Léa a 4 * 6 = 24 billes.\nIl en reste 24 - 5 = 19.\n</think>\n\\boxed{19}"


def test_a_template_that_is_none_is_named(tmp_path):
    bad = write_template(tmp_path, "fra", 7, answer="sans réponse")
    with pytest.raises(BadData, match=r"0007.toml, field 'answer': must end with `#### <answer>`; got 'sans réponse'"):
        questions(tmp_path, "fr")
    bad.write_text("question = ", encoding="utf-8")
    with pytest.raises(BadData, match=r"0007.toml: must be TOML in UTF-8"):
        questions(tmp_path, "fr")
    bad.rename(bad.with_name("seven.toml"))
    with pytest.raises(BadData, match=r"seven.toml: must be named after the number"):
        questions(tmp_path, "fr")


def test_a_language_that_is_not_in_the_folder_is_an_error_with_its_folder(package):
    with pytest.raises(BadData, match=r"holds no templates in ja \(jpn/symbolic\)"):
        questions(package, "ja")


def test_without_a_path_the_package_must_be_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadData, match=f"the package {PACKAGE} must be installed"):
        GsmSymbolic().questions("test", ["fr"], WorldSpec(), None)


def test_the_command_writes_data_for_a_run_and_a_card(package, tmp_path, capsys):
    folder = tmp_path / "made"
    assert symbolic.main([str(folder), "--path", str(package), "--languages", "fr"]) == 0
    (example,) = read_records(folder / "sft.jsonl", Example)
    assert example.problem == "gsm_symbolic-2" and example.completion.endswith("\\boxed{19}")
    assert len(read_records(folder / "prompts.jsonl", Question)) == 1
    assert len(read_records(folder / "test.jsonl", Question)) == 2
    assert "CC BY-NC-ND 4.0" in (folder / "card.md").read_text(encoding="utf-8")
    assert "fr" in capsys.readouterr().out


def test_a_language_with_few_templates_is_refused_with_the_reason(package, capsys):
    assert symbolic.main([str(package / "made"), "--path", str(package), "--languages", "es"]) == 2
    assert "fewer than 90 of the 100 templates are in use (pt 38, id 18, es 8, bn 2); got es" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason=f"the package {PACKAGE} is not installed")
def test_every_gold_and_every_worked_answer_of_the_package_is_right():
    benchmark = GsmSymbolic()
    rows = benchmark.worked("all", benchmark.languages())
    assert len(rows) > 1300
    with Grader(GraderSpec()) as grader:
        grades = grader.grade([r.completion for r in rows], [r.gold for r in rows], [r.language for r in rows])
    assert {grade.status for grade in grades} == {Status.RIGHT}
