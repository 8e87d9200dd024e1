"""Reasoning Gym: questions come from the package in a process of its own, with golds that its scorer judges."""

import importlib.util
import json

import pytest

from src.commands import reasoning_gym
from src.data.benchmarks.reasoning_gym import PACKAGE, ReasoningGym
from src.data.readers import BadData
from src.data.records import Question, read_records, write_records
from src.data.world.spec import WorldSpec
from src.grading.grader import Grader, GraderSpec, Status
from src.grading.tasks import KIND, gold_answer, task_of

STAND_IN = """
from dataclasses import dataclass
print("hello")

@dataclass
class Config:
    seed: int = 0
    size: int = 10
@dataclass
class ConfigWithLanguages(Config):
    languages: str = "en"

class Doubling:
    def __init__(self, name, seed, size, languages="en"):
        self.name, self.seed, self.language = name, seed, languages
    def __getitem__(self, index):
        print("working")
        number = (self.seed + index) % 2 if self.name == "few" else self.seed + index
        word = {"en": "Double", "fr": "Le double de"}[self.language]
        answer = {"open": None, "fails": 1 / (index - 1 if self.name == "fails" else 1)}.get(self.name, f"#### {2 * number}")
        return {"question": f"{word} {number}" + "!" * (self.name == "fickle"), "answer": answer, "metadata": {"set": {number}}}
    def score_answer(self, answer, entry):
        return float(answer == entry["answer"] and self.name != "fickle")

DATASETS = {name: (Doubling, Config) for name in ("doubling", "open", "fails", "few", "fickle")} | {"parallel": (Doubling, ConfigWithLanguages)}

def create_dataset(name, **options):
    return Doubling(name, **options)
"""


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "unpacked"
    (folder / PACKAGE).mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").write_text("from .factory import create_dataset\n")
    (folder / PACKAGE / "factory.py").write_text(STAND_IN)
    return str(folder)


def questions(benchmark, *languages, split="test"):
    return benchmark.questions(split, languages or ("en",), WorldSpec(), None)


def test_questions_are_those_of_task_seed_and_size(package):
    rows = questions(ReasoningGym(path=package, tasks=["doubling", "parallel"], seed=7, size=2))
    assert [(row.problem, row.question, gold_answer(row.gold), row.kind, row.part) for row in rows] == [
        ("doubling-7-0", "Double 7", "#### 14", KIND, "doubling"),
        ("doubling-7-1", "Double 8", "#### 16", KIND, "doubling"),
        ("parallel-7-0", "Double 7", "#### 14", KIND, "parallel"),
        ("parallel-7-1", "Double 8", "#### 16", KIND, "parallel"),
    ]


def test_splits_are_seeds_so_far_apart_that_no_question_is_shared(package):
    benchmark = ReasoningGym(path=package, tasks=["doubling"], seed=7, size=3)
    seeds = {split: task_of(questions(benchmark, split=split)[0].gold).seed for split in benchmark.splits()}
    assert seeds == {"test": 7, "dev": 1_000_007, "train": 2_000_007}


def test_the_multilingual_fork_asks_the_same_problem_in_its_languages(package):
    benchmark = ReasoningGym(path=package, tasks=["parallel"], size=1, translations=["fr"])
    english, french = questions(benchmark, "en", "fr")
    assert benchmark.languages() == ("en", "fr") and english.problem == french.problem
    assert french.question == "Le double de 1" and task_of(french.gold).language == "fr"
    with pytest.raises(BadData, match="doubling of this package asks in English alone; fr takes the multilingual fork"):
        questions(ReasoningGym(path=package, tasks=["doubling"], translations=["fr"]), "fr")


def test_questions_come_back_from_a_file_for_grpo_and_are_graded(package, tmp_path):
    rows = questions(ReasoningGym(path=package, tasks=["doubling", "parallel"], size=2), split="train")
    write_records(tmp_path / "prompts.jsonl", rows)
    assert read_records(tmp_path / "prompts.jsonl", Question) == rows
    completions = [f"</think>\\boxed{{{gold_answer(row.gold)}}}" for row in rows[:3]] + ["</think>\\boxed{0}"]
    with Grader(GraderSpec(packages=package)) as grader:
        grader.check_gold_answers([(row.problem, row.gold, row.language, row.kind) for row in rows])
        grades = grader.grade(completions, [row.gold for row in rows], kinds=[row.kind for row in rows])
    assert [grade.status for grade in grades] == [Status.RIGHT] * 3 + [Status.WRONG]


def test_the_command_writes_questions_and_leaves_out_what_repeats_or_cannot_be_right(package, tmp_path, capsys):
    folder = tmp_path / "made"
    arguments = ["--path", package, "--size", "4", "--seed", "5", "--tasks", "doubling,few,fickle"]
    assert reasoning_gym.main([str(folder), *arguments]) == 0
    names = {name: [row.part for row in read_records(folder / name, Question)] for name in ("test.jsonl", "dev.jsonl")}
    # `few` has two questions, both asked in `test`; the scorer of `fickle` gives nothing 1.
    assert names == {"test.jsonl": ["doubling"] * 4 + ["few"] * 2, "dev.jsonl": ["doubling"] * 4}
    assert [row.question for row in read_records(folder / "prompts.jsonl", Question)] == [
        f"Double {number}" for number in range(2_000_005, 2_000_009)
    ]
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "Apache-2.0" in card and "bad_gold" in card and "repeated" in capsys.readouterr().out


def test_the_command_names_a_task_that_is_none(package, tmp_path, capsys):
    assert reasoning_gym.main([str(tmp_path / "made"), "--path", package, "--tasks", "maze"]) == 2
    assert "the package has no task 'maze'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "doublng",
            "benchmark.tasks: the package has no task 'doublng'. It has doubling, fails, few, fickle, open, parallel",
        ),
        ("open", "question 0 of open comes without an answer of its own"),
        ("fails", "reasoning-gym made no questions: ZeroDivisionError"),
    ],
)
def test_a_task_that_gives_no_questions_is_an_error_in_a_sentence(package, task, message):
    with pytest.raises(BadData, match=message):
        questions(ReasoningGym(path=package, tasks=[task]))


def test_a_folder_without_the_package_is_an_error_with_the_fix(tmp_path):
    if importlib.util.find_spec(PACKAGE) is not None:
        pytest.skip("the package is installed")
    for path in (None, str(tmp_path)):
        with pytest.raises(BadData, match=r"must be installed .*pip install reasoning-gym.*or benchmark.path"):
            questions(ReasoningGym(path=path))


def test_settings_out_of_range_are_named(tmp_path):
    broken = ReasoningGym(tasks=["a", "a"], size=0, seed=-1, translations=["en", "xx"]).violations()
    assert [text.split(" must")[0] for text in broken] == [
        "benchmark.tasks",
        "benchmark.size",
        "benchmark.seed",
        "benchmark.translations",
    ]
    assert ReasoningGym().violations() == []


def test_the_fingerprint_tells_seeds_sizes_tasks_and_files_apart(package):
    specs = [{}, {"seed": 2}, {"size": 3}, {"tasks": ["doubling"]}, {"path": None}]
    assert len({ReasoningGym(**{"path": package, **spec}).fingerprint() for spec in specs}) == 5


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason="the package reasoning-gym is not installed")
def test_the_default_tasks_of_the_package_are_right_against_themselves():
    rows = questions(ReasoningGym(size=10))
    with Grader(GraderSpec()) as grader:
        verdicts = grader.grade_gold_answers([(row.gold, row.language, row.kind) for row in rows])
        answers = [f"</think>\\boxed{{{json.loads(row.gold)['answer']}}}" for row in rows]
        grades = grader.grade(answers, [row.gold for row in rows], kinds=[row.kind for row in rows])
    assert set(verdicts) == {Status.RIGHT} and {grade.status for grade in grades} == {Status.RIGHT}
