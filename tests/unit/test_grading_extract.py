"""Reading an answer: what is a number, what is not, and what is too long to be one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.grading.extract import MAXIMUM_ANSWER, answers, boxes, normalise, plain_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1 200", "1200"), ("1\u00a0200", "1200"), ("1\u202f200,5", None), ("1,00,000", "100000"), ("1\\,200", "1200"),
        ("1{,}200", "1200"), ("１，２００", "1200"), ("١٬٢٠٠٫٥", "1200.5"), ("๔๒", "42"), ("౪౨", "42"), ("−5", "-5"),
        ("+5", "5"), ("5²", None), ("½", None), ("12個", None), ("1 20", None), ("", None), ("-", None), (".5", None),
    ],
)  # fmt: skip
def test_plain_numbers(text, number):
    assert plain_number(normalise(text)) == number


def test_two_writings_of_one_number_are_one_answer():
    assert answers("</think>\\boxed{1.0}\\boxed{1}") == ["1.0"]
    assert answers("</think>\\boxed{2}\\boxed{1}") == ["2", "1"]


def test_an_answer_that_is_too_long_is_not_cut_into_a_right_one():
    assert answers("</think>\\boxed{1" + " " * MAXIMUM_ANSWER + "z}") == [""]
    assert answers("</think>\\boxed{" + " " * 1000 + "1}") == ["1"]


def test_of_nested_boxes_the_inner_one_is_read():
    assert answers("</think>\\boxed{\\boxed{5}}") == ["5"]


@pytest.mark.parametrize(
    "unit", ["[", "{", "}", "\\boxed{", "\\boxed{}", "\\boxed ", "\\{", "\\", "</think>", "<think>"]
)
def test_time_is_linear_in_hostile_text(unit):
    began = time.perf_counter()
    answers("</think>" + unit * (100_000 // len(unit)))
    answers("</think>\\boxed{" + unit * (100_000 // len(unit)) + "}")
    assert time.perf_counter() - began < 1.0


@given(st.text(st.sampled_from("\\{}boxed5 \ud800"), max_size=40))
def test_the_content_of_a_box_is_balanced(text):
    for content in boxes(text):
        bare = content.replace("\\{", "").replace("\\}", "")
        assert bare.count("{") == bare.count("}")
