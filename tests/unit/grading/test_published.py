"""Right or wrong as published, by hand: the box of the answer part, else of the trace; text as it stands."""

import pytest

from src.grading.grader import Grader, GraderSpec
from src.grading.published import compare_published, published_answer


@pytest.mark.parametrize(
    ("completion", "answer"),
    [("\\boxed{4}</think>\\boxed{5}", "5"), ("\\boxed{4}</think>It is 5.", "4"), ("\\boxed{4}", "4"), ("4", "")],
)
def test_where_the_answer_is_looked_for(completion, answer):
    assert published_answer(completion) == answer


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        ("5", "5.0", "right"),
        ("5", "6", "wrong"),
        ("0.5", "\\frac{1}{2}", "right"),
        ("5", "", "unparsed"),
        ("5", "５", None),
        ("5", "x", None),
    ],
)
def test_at_once(gold, answer, verdict):
    assert compare_published(gold, answer) == verdict


def test_the_rest_is_for_math_verify():
    with Grader(GraderSpec(timeout=20)) as grader:
        statuses = grader.grade_published(["</think>\\boxed{\\sqrt{25}}", "</think>\\boxed{1.234,5}"], ["5", "1234.5"])
    assert [status.value for status in statuses] == ["right", "wrong"]
