"""Tasks with a scorer of their own: the gold answer as text, the answer in the box, and what comes of odd scorers."""

import dataclasses
import json

import pytest

from src.grading.grader import BadGoldAnswer, Grader, GraderSpec, Status
from src.grading.tasks import KIND, Task, boxed, gold_answer, question_hash, task_of

# The interface of the package: a registry of (class, config class), data sets made by name, a scorer on each.
FACTORY = """
import random, time
from dataclasses import dataclass

@dataclass
class Config:
    seed: int = 0
    size: int = 10

class Count:
    def __init__(self, name, seed, size):
        self.name, self.seed, self.size = name, seed, size
    def __getitem__(self, index):
        print("a line of the package's own")
        number = random.randint(10, 99) if self.name == "unseeded" else random.Random(self.seed + index).randint(10, 99)
        return {"question": f"What follows {number}?", "answer": str(number + 1), "metadata": {}}
    def score_answer(self, answer, entry):
        print("another")
        if answer == entry["answer"]:
            return {"over": 1.5, "nan_always": float("nan"), "half_always": 0.5}.get(self.name, 1.0)
        if self.name == "hangs":
            while True:
                try:
                    time.process_time()
                except:
                    pass
        if self.name == "raises":
            raise RuntimeError("odd answer")
        if self.name == "leaves":
            raise SystemExit(0)
        if self.name == "evaluates":
            return float(eval(answer) == entry["answer"])
        if self.name == "spoils":
            entry["answer"] = answer
        return {"nan": float("nan"), "none": None, "below": -1.0, "half": 0.5}.get(self.name, 0.0)

NAMES = "count unseeded hangs raises leaves evaluates spoils nan none below half over nan_always half_always".split()
DATASETS = {name: (Count, Config) for name in NAMES}

def create_dataset(name, **options):
    return Count(name, **options)
"""


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "reasoning_gym").mkdir()
    (folder / "reasoning_gym/__init__.py").write_text("from .factory import create_dataset\n")
    (folder / "reasoning_gym/factory.py").write_text(FACTORY)
    with Grader(GraderSpec(timeout=0.7, packages=str(folder))) as made:
        yield made


def gold(name, index=0, **other):
    """Seed 3: 40 for the first question (random.Random(3).randint(10, 99) is 40, so that the answer is 41)."""
    task = Task(name, 3, 5, index, "en", question_hash("What follows 40?"), "41")
    return dataclasses.replace(task, **other).gold()


def statuses(grader, name, *answers, **other):
    rows = [f"I think.\n</think>\n\\boxed{{{answer}}}" for answer in answers]
    return [grade.status for grade in grader.grade(rows, [gold(name, **other)] * len(rows), kinds=[KIND] * len(rows))]


def test_the_scorer_of_the_task_gives_the_verdict_on_what_stands_in_the_box(grader):
    assert statuses(grader, "count", "41", "42", "\\text{41}") == [Status.RIGHT, Status.WRONG, Status.RIGHT]
    assert statuses(grader, "count", "41.0", "") == [Status.WRONG, Status.UNPARSED]
    bare = grader.grade(["The answer is 41", "</think> 41"], [gold("count")] * 2, kinds=[KIND] * 2)
    assert [grade.status for grade in bare] == [Status.UNPARSED, Status.UNPARSED]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("hangs", Status.TIMEOUT),
        ("raises", Status.ERROR),
        ("leaves", Status.ERROR),
        ("nan", Status.ERROR),
        ("none", Status.ERROR),
        ("below", Status.ERROR),
        ("half", Status.WRONG),
        ("spoils", Status.WRONG),
    ],
)
def test_a_scorer_that_gives_no_score_is_no_verdict_and_the_next_answer_is_graded(grader, name, status):
    assert statuses(grader, name, "7", "41") == [status, Status.RIGHT]


def test_an_answer_cannot_run_code_in_a_scorer_that_evaluates_it(grader):
    assert statuses(grader, "evaluates", "entry['answer']", "str(40 + 1)", "'41'") == [
        Status.ERROR,
        Status.ERROR,
        Status.RIGHT,
    ]


def test_a_question_that_is_another_now_is_an_error(grader):
    assert statuses(grader, "count", "41", question="0" * 16) == [Status.ERROR]
    assert statuses(grader, "count", "40", answer="40") == [Status.ERROR]
    assert statuses(grader, "no_such_task", "41") == [Status.ERROR]
    row = grader.grade(["</think>\\boxed{41}"], ["41"], kinds=[KIND])
    assert row[0].status is Status.ERROR


def test_a_task_that_draws_from_the_generator_of_the_process_is_the_same_question_again(grader):
    assert statuses(grader, "unseeded", "41", "40") == [Status.RIGHT, Status.WRONG]


def test_a_gold_answer_is_checked_by_its_scorer(grader):
    grader.check_gold_answers([("row 1", gold("count"), "en", KIND)])
    for name, word in (("half_always", "wrong"), ("nan_always", "error"), ("over", "error")):
        with pytest.raises(BadGoldAnswer, match=f"grades as {word} against itself"):
            grader.check_gold_answers([("row 1", gold(name), "en", KIND)])


def test_where_the_package_is_not_there_its_tasks_are_errors_and_the_check_says_what_to_do(tmp_path):
    with Grader(GraderSpec(packages=str(tmp_path))) as bare:
        with pytest.raises(BadGoldAnswer, match=r"error against itself\n.*pip install reasoning-gym.*grader.packages"):
            bare.check_gold_answers([("row 1", gold("no_such_task"), "en", KIND)])
        assert bare.grade(["</think>\\boxed{7}"], ["7"])[0].status is Status.RIGHT


def test_a_gold_answer_holds_no_mark_of_another_notation_and_comes_back():
    task = Task("maze", 1, 2, 0, "en", "f" * 16, "#### $5$\n>#<")
    assert not {"#", "$"} & set(task.gold()) and task_of(task.gold()) == task
    assert gold_answer(task.gold()) == task.answer and json.loads(task.gold())["name"] == "maze"


@pytest.mark.parametrize("text", ["41", "[]", "{}", '{"name": 1}', '"a"', "[[" * 5000, ""])
def test_other_gold_answers_are_no_task(text):
    with pytest.raises(ValueError):
        task_of(text)
    assert gold_answer(text) == ""


def test_a_boxed_answer_keeps_its_lines_and_loses_what_wraps_all_of_it():
    assert boxed("\\boxed{1 2\n3 4}") == "1 2\n3 4"
    assert boxed('\\boxed{{"a": {"b": 1}}}') == '{"a": {"b": 1}}'
    assert boxed("\\boxed{\\text{\\texttt{up}}}") == "up"
    assert boxed("\\boxed{$x$ and $y$}") == "$x$ and $y$"
    assert boxed("\\boxed{\\text{a} or \\text{b}}") == "\\text{a} or \\text{b}"
    assert boxed("\\boxed{**no**}") == "no" and boxed("\\boxed{2**3}") == "2**3" and boxed("none") is None
