"""Which answers vote together, by hand."""

import pytest

from src.grading.classes import answer_class


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("1/2", "en"), ("0,5", "de")),
        (("2.000", "es"), ("2000", "th")),
        (("1,500", "en"), ("1.500", "pt")),
        (("\\frac{3}{4}", "fr"), ("0.75", "zh")),
        (("25%", "bn"), ("25", "en")),
        (("C", "en"), ("ค", "th")),
        (("গ", "bn"), ("C", "sw")),
        (("丙", "zh"), ("ウ", "ja")),
    ],
)
def test_equal_answers_are_one_class(one, other):
    assert answer_class(*one) == answer_class(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("0.29", "en"), ("0.28", "en")),
        (("1.500", "en"), ("1.500", "de")),  # one and a half, and one thousand five hundred
        (("a", "en"), ("A", "en")),  # a variable, and an option
        (("x+1", "fr"), ("x-1", "fr")),
        (("B", "ko"), ("ㄷ", "ko")),
        (("0", "en"), ("", "en")),
    ],
)
def test_others_are_not(one, other):
    assert answer_class(*one) != answer_class(*other)
