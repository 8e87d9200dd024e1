"""Grading: each answer ends in one status, whatever the model wrote, in bounded time."""

import time

import pytest

from src.grading.grader import BadGoldAnswer, Grader, GraderSpec, Status


@pytest.fixture(scope="module")
def grader():
    made = Grader(GraderSpec(timeout=1.5))
    yield made
    made.close()


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
        ("99999999!", "5", Status.TIMEOUT),
        ("(x+1)^{3000}", "5", Status.WRONG),
        ("", "5", Status.UNPARSED),
        ("{" * 300 + "}" * 300, "5", Status.UNPARSED),
        ("1" * 2000, "5", Status.UNPARSED),
    ],
)
def test_statuses(grader, answer, gold, status):
    assert grader.grade([f"</think>\\boxed{{{answer}}}"], [gold])[0].status is status


@pytest.mark.parametrize(
    "completion",
    [
        "",
        "\\boxed{5}",
        "</think>" + "[" * 100_000,
        "</think>\\boxed{" + "{" * 100_000,
        "</think>" + "\\boxed{" * 20_000,
        "</think>\\boxed{\ud800}",
        "</think>\\boxed{5}\\boxed{6}",
        "</think>\\boxed{\x00\x1b[2J}",
        "</think>\\boxed{" + "9" * 1_000_000 + "}",
        "</think>\\boxed{(" + "(" * 400 + "}",
    ],
)
def test_hostile_completions_are_not_right_and_not_slow(grader, completion):
    began = time.perf_counter()
    (grade,) = grader.grade([completion], ["5"])
    assert grade.status is not Status.RIGHT and time.perf_counter() - began < 8


def test_a_killed_worker_is_replaced_and_the_rest_is_graded(grader):
    completions = ["</think>\\boxed{9^{9^{9^8}}}", "</think>\\boxed{\\frac{1}{4}}"]
    assert [g.status for g in grader.grade(completions, ["5", "0.25"])] == [Status.TIMEOUT, Status.RIGHT]


def test_a_gold_that_is_not_right_against_itself_is_named(grader):
    with pytest.raises(BadGoldAnswer, match=r"row 2: gold '\\\\frac\{' grades as"):
        grader.check_gold_answers([("row 1", "5", "fr", "expression"), ("row 2", "\\frac{", "fr", "expression")])


def test_plain_numbers_start_no_worker():
    fast = Grader(GraderSpec())
    assert fast.grade(["</think>\\boxed{5}"], ["5"])[0].status is Status.RIGHT and not fast.pool.workers
