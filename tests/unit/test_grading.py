"""Grading: each answer ends in one status, whatever the model wrote, in bounded time."""

import time

import pytest

from src.grading.extract import answers, boxes, normalise, plain_number
from src.grading.grader import BadGold, Grader, GraderSpec, Status


@pytest.fixture(scope="module")
def grader():
    made = Grader(GraderSpec(timeout=1.5))
    yield made
    made.close()


def test_boxes_are_read_with_their_braces_balanced():
    assert boxes(r"\boxed{\frac{1}{2}} and \boxed{3") == [r"\frac{1}{2}"]
    assert boxes(r"\boxed{a\}b}") == [r"a\}b"]


def test_an_answer_counts_only_after_the_close():
    assert answers("\\boxed{5}") == [] and answers("\\boxed{4}</think>\\boxed{5}") == ["5"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,200", "1200"), ("-0", "0"), ("007", "7"), ("2.50", "2.5"), ("১২", "12"), ("１２", "12"), ("٣", "3"), ("12.", "12"), ("$5$", "5"), ("1e3", None), ("1,20", None)],
)  # fmt: skip
def test_plain_numbers(text, number):
    assert plain_number(normalise(text)) == number


@pytest.mark.parametrize(
    ("answer", "gold", "status"),
    [
        ("12", "12", Status.RIGHT),
        ("12.0", "12", Status.RIGHT),
        ("13", "12", Status.WRONG),
        ("\\frac{1}{2}", "0.5", Status.RIGHT),
        ("\\frac{2}{4}", "\\frac{1}{2}", Status.RIGHT),
        ("x+1", "1+x", Status.RIGHT),
        ("9^{9^{9^9}}", "5", Status.TIMEOUT),
        ("", "5", Status.UNPARSED),
        ("{" * 300 + "}" * 300, "5", Status.UNPARSED),
        ("1" * 2000, "5", Status.UNPARSED),
    ],
)
def test_statuses(grader, answer, gold, status):
    assert grader.grade([f"</think>\\boxed{{{answer}}}"], [gold])[0].status is status


@pytest.mark.parametrize(
    "completion",
    ["", "\\boxed{5}", "</think>" + "[" * 100_000, "</think>\\boxed{" + "{" * 100_000, "</think>" + "\\boxed{" * 20_000,
     "</think>\\boxed{\ud800}", "</think>\\boxed{5}\\boxed{6}", "</think>\\boxed{(" + "(" * 400 + "}"],
)  # fmt: skip
def test_hostile_completions_are_not_right_and_not_slow(grader, completion):
    began = time.perf_counter()
    (grade,) = grader.grade([completion], ["5"])
    assert grade.status is not Status.RIGHT and time.perf_counter() - began < 8


def test_two_different_boxes_are_wrong_and_two_equal_ones_are_one(grader):
    assert grader.grade(["</think>\\boxed{6} \\boxed{5}"], ["5"])[0].status is Status.WRONG
    assert grader.grade(["</think>\\boxed{5} \\boxed{5}"], ["5"])[0].status is Status.RIGHT


def test_a_killed_worker_is_replaced_and_the_rest_is_graded(grader):
    completions = ["</think>\\boxed{9^{9^{9^8}}}", "</think>\\boxed{\\frac{1}{4}}"]
    assert [g.status for g in grader.grade(completions, ["5", "0.25"])] == [Status.TIMEOUT, Status.RIGHT]


def test_a_gold_that_is_not_right_against_itself_is_named(grader):
    with pytest.raises(BadGold, match=r"row 2: gold '\\\\frac\{' grades as"):
        grader.check_golds([("row 1", "5"), ("row 2", "\\frac{")])


def test_plain_numbers_start_no_worker():
    fast = Grader(GraderSpec())
    assert fast.grade(["</think>\\boxed{5}"], ["5"])[0].status is Status.RIGHT and not fast.pool.workers
