"""Numbers of running text: whole, with their sign and what multiplies them, and none out of a formula or a name."""

import pytest

from src.grading.numbers import numbers_in, readings


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("总共是-8。", ["-8"]),
        ("ผลลัพธ์คือ-8", ["-8"]),
        ("合計は-8個です", ["-8"]),
        ("Il y en a 12 500.", ["12 500"]),
        ("в 2019 350 машин", ["2019", "350"]),
        ("$12\\,500$ or \\(7\\)", ["12 500", "7"]),
        ("is $\\dfrac{2}{5}$", ["\\frac{2}{5}"]),
        ("2\\frac{1}{4} cups", ["2\\frac{1}{4}"]),
        ("6 3/4 miles", ["6 3/4"]),
        ("15\\% of \\$40", ["15%", "40"]),
        ("SARS-2 in 3 towns", ["3"]),
        ("2\\sqrt{3} and 10^{4}", []),
        ("2.5 million people", ["2.5 million"]),
        ("7 and a half", ["7 and a half"]),
        ("elfu 12", ["elfu 12"]),
        ("12 тысяч", ["12 тысяч"]),
        ("3万人", ["3万人"]),
        ("3 pears and 4 plums", ["3", "4"]),
    ],
)
def test_numbers_in_running_text(text, numbers):
    assert numbers_in(text) == numbers


def test_what_multiplies_a_number_is_read_in_its_language():
    assert readings("3 billion", "en") == (3_000_000_000,)
    assert readings("3 billones", "es") == (3_000_000_000_000,)
    assert readings("3 Billionen", "de") == (3_000_000_000_000,)
    assert readings("3 bilhões", "pt") == (3_000_000_000,)
    assert readings("3 lakh", "bn") == (300_000,)
