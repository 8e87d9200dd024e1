"""The boxed answer, by hand: the last box, boxes side by side as one answer, and boxes without braces."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.grading.boxes import last_box


@pytest.mark.parametrize(
    ("text", "box"),
    [
        (r"\boxed{\frac{1}{2}} and \boxed{3", r"\frac{1}{2}"),
        (r"\boxed{a\}b}", r"a\}b"),
        (r"\boxed{1} \boxed{ }", "1"),
        (r"\boxed{1 \boxed{2} 3}", "2"),
        (r"\boxed{{\boxed{2}}}", "2"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed {4}", "4"),
        (r"\fbox{4}", "4"),
        (r"\framebox[3cm][c]{4}", "4"),
        ("\x08oxed{4}", "4"),  # \b as JSON reads it (CoursIA 9105)
        ("so \x0cbox{4}", "4"),
        ("\\boxed{\x0crac{1}{3}}", "\x0crac{1}{3}"),
        ("boxed", None),
    ],
)
def test_the_last_box_is_read_with_its_braces_balanced(text, box):
    assert last_box(text) == box


# hendrycks/math 23: TeX needs no braces.
@pytest.mark.parametrize(
    ("text", "box"),
    [
        (r"$\boxed 4$.", "4"),
        (r"\boxed4", "4"),
        (r"$\boxed y$", "y"),
        (r"$\boxed\frac{3}{7}$", r"\frac{3}{7}"),
        (r"$\boxed\frac37$", r"\frac37"),
        (r"$\boxed \pi$", r"\pi"),
        (r"\boxed\text{B}", r"\text{B}"),
        (r"\boxed -7.", "-7"),
        # what stands there is read whole: no part of it is the answer
        (r"\boxed 36", "36"),
        (r"\boxed 4x$", "4x"),
        (r"\boxed 2^{10}", "2^{10}"),
        # prose
        (r"put it in \boxed.", None),
        (r"use \boxed for the answer 4", None),
        (r"\boxed a number", None),
        (r"请用\boxed给出答案", None),
        (r"inside \boxed{}", None),
        (r"\boxedtext 4", None),
    ],
)
def test_a_box_without_braces(text, box):
    assert last_box(text) == box


# lm-evaluation-harness 3652 and rows of Math-Verify: boxes that are one answer.
@pytest.mark.parametrize(
    ("text", "box"),
    [
        (r"\boxed{2} or \boxed{9}", "2, 9"),
        (r"\boxed{2}, \boxed{4}, \boxed{9}", "2, 4, 9"),
        (r"\boxed{2}, \boxed{4} and \boxed{9}", "2, 4, 9"),
        (r"\boxed{2}\boxed{9}", "2, 9"),
        (r"$\boxed{2}$ and $\boxed{9}$", "2, 9"),
        (r"$\boxed{2} \quad \text{or} \quad \boxed{9}$", "2, 9"),
        (r"$y=\boxed{2}$ or $y=\boxed{9}$", "2, 9"),
        (r"$x_1 = \boxed{2}; x_2 = \boxed{9}$", "2, 9"),
        (r"$x=\boxed{2}$, $y=\boxed{9}$", "x = 2, y = 9"),
        (r"\(\boxed{2}\) \lor \(\boxed{9}\)", "2, 9"),
        ("\\[\\boxed{2}\\]\nor\n\\[\\boxed{9}\\]", "2, 9"),
        (r"**\boxed{2}** & **\boxed{9}**", "2, 9"),
        (r"(a) \boxed{2}, (b) \boxed{9}", "2, 9"),
        (r"\boxed{2} km or \boxed{9} km", "2, 9"),
        (r"\boxed{\boxed{2}} or \boxed{\boxed{9}}", "2, 9"),
        (r"\boxed{2} oder \boxed{9}", "2, 9"),
        (r"\boxed{2} ou \boxed{9}", "2, 9"),
        (r"\boxed{2} o \boxed{9}", "2, 9"),
        (r"\boxed{2} или \boxed{9}", "2, 9"),
        (r"\boxed{2} au \boxed{9}", "2, 9"),
        (r"\boxed{2} atau \boxed{9}", "2, 9"),
        (r"\boxed{2} hoặc \boxed{9}", "2, 9"),
        (r"\boxed{2}或\boxed{9}", "2, 9"),
        (r"\boxed{2}、\boxed{9}", "2, 9"),
        (r"\boxed{2}または\boxed{9}", "2, 9"),
        (r"\boxed{2} 또는 \boxed{9}", "2, 9"),
        (r"\boxed{2} หรือ \boxed{9}", "2, 9"),
        (r"\boxed{2} অথবা \boxed{9}", "2, 9"),
        (r"\boxed{2} లేదా \boxed{9}", "2, 9"),
        (r"\boxed{2} أو \boxed{9}", "2, 9"),
        (r"\boxed{2}只猫和\boxed{9}只狗", "2, 9"),
        (r"\boxed{2}:\boxed{9}", "2 : 9"),
        (r"\boxed{2}/\boxed{9}", "2 / 9"),
        # the same twice
        (r"\boxed{9}, \boxed{9}", "9"),
        (r"\boxed{0.5} or \boxed{1/2}", "1/2"),
        # apart: the last counts
        (r"\boxed{2}. \boxed{9}", "9"),
        (r"\boxed{2} then \boxed{9}", "9"),
        (r"\boxed{2}, so \boxed{9}", "9"),
        (r"\boxed{4 + 5} = \boxed{9}", "9"),
        (r"\boxed{11} - \boxed{2} = \boxed{9}", "9"),
        ("\\boxed{2}\n\n\\boxed{9}", "9"),
        (r"\boxed{2} thousand \boxed{9}", "9"),
        (r"\boxed{9}, not \boxed{2}", "9"),
    ],
)
def test_boxes_side_by_side_are_one_answer(text, box):
    assert last_box(text) == box


def test_a_box_repeated_without_end_is_one_answer():
    assert last_box("\\boxed{5}, " * 10_000) == "5"


@pytest.mark.parametrize(
    "unit", ["\\boxed{", "\\boxed\\frac{", "\\boxed{1}}{", "{{\\boxed{1}", "\\boxed5{", "\\boxed\\a", "\\boxed{5} a "]
)
def test_time_is_linear(unit):
    began = time.perf_counter()
    last_box(unit * (100_000 // len(unit)))
    assert time.perf_counter() - began < 3.0


def test_memory_is_linear_in_nested_boxes():
    assert last_box("\\boxed{" * 100_000 + "}" * 100_000) is None


@given(st.text(st.sampled_from("\\{}boxed5 \ud800"), max_size=40))
def test_the_content_of_a_box_is_balanced(text):
    for content in filter(None, [last_box(text)]):
        bare = content.replace("\\{", "").replace("\\}", "")
        assert bare.count("{") == bare.count("}")
