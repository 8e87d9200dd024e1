"""Right or wrong as published, by hand: the first box of the answer part or of the trace; text as it stands."""

import pytest

from src.grading.grader import Grader, GraderSpec
from src.grading.published import compare_published, published_answers


@pytest.mark.parametrize(
    ("completion", "answers"),
    [
        ("\\boxed{4}</think>\\boxed{5}", ("5", "4")),
        ("<think>\\boxed{4}</think>It is 5.", ("", "4")),
        ("\\boxed{4}", ("4", "")),  # all answer part
        ("</think>\\boxed{1} then \\boxed{2}", ("1", "")),
        ("</think>put it in \\boxed{}: \\boxed{2}", ("", "")),
        ("</think>\\boxed{ \\frac{1}{2} }", ("\\frac{1}{2}", "")),
        ("</think>\\boxed{\\{1}", ("\\{1", "")),
        ("</think>\\boxed{12", ("1", "")),
        ("</think>\\fbox{3} \\boxed 4", ("", "")),
        ("a</think>b</think>\\boxed{6}", ("6", "")),
        ("4", ("", "")),
    ],
)
def test_where_the_answer_is_looked_for(completion, answers):
    assert published_answers(completion) == answers


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        ("5", "5.0", "right"),
        ("5", "6", "wrong"),
        ("0.5", "\\frac{1}{2}", "right"),
        ("5", "", "unparsed"),
        ("5", "５", None),
        ("5", "x", None),
        ("0.5", "\\dfrac{1}{2}", None),
    ],
)
def test_at_once(gold, answer, verdict):
    assert compare_published(gold, answer) == verdict


@pytest.mark.parametrize(
    ("completion", "gold", "status"),
    [
        ("<think>\\boxed{4}</think>\\boxed{5}", "4", "right"),  # either part
        ("<think>\\boxed{4}</think>\\boxed{5}", "5", "right"),
        ("<think>\\boxed{4}</think>\\boxed{5}", "6", "wrong"),
        ("</think>\\boxed{4}, so \\boxed{5}", "5", "wrong"),  # the first box
        ("<think>\\boxed{7}</think>Seven.", "7", "right"),
        ("</think>Seven.", "7", "unparsed"),
        # without dollars math-verify reads numbers, and fractions, but no other LaTeX
        ("</think>\\boxed{\\sqrt{25}}", "5", "unparsed"),
        ("</think>\\boxed{\\dfrac{1}{2}}", "0.5", "unparsed"),
        ("</think>\\boxed{\\$12}", "12", "unparsed"),
        ("</think>\\boxed{12 apples}", "12", "right"),
        ("</think>\\boxed{$\\sqrt{25}$}", "5", "right"),
        ("</think>\\boxed{1.234,5}", "1234.5", "wrong"),
    ],
)
def test_either_part_may_be_right_and_math_verify_reads_what_stands_there(completion, gold, status):
    with Grader(GraderSpec(timeout=20)) as grader:
        assert grader.grade_published([completion], [gold])[0].value == status
