"""Reading an answer out of a completion: where it is looked for, and that hostile text is read in linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.grading.extract import RULES, Extraction, extract, last_box
from src.grading.normal import MAXIMUM_ANSWER


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
        ("boxed", None),
    ],
)
def test_the_last_box_is_read_with_its_braces_balanced(text, box):
    assert last_box(text) == box


@pytest.mark.parametrize(
    ("rules", "completion", "answer", "rule"),
    [
        ("strict", "\\boxed{4}</think>\\boxed{5}", "5", "box"),
        ("strict", "</think>\\boxed{5} then \\boxed{6}", "6", "box"),
        ("strict", "</think>\\boxed{5} \\boxed{}", "5", "box"),
        ("strict", "</think>\\boxed{\\boxed{5}}", "5", "box"),
        ("strict", "\\boxed{5}", None, ""),
        ("strict", "</think>The answer is 5.", None, ""),
        ("flexible", "</think>7 apples. The answer is 5 apples. 3 remain.", "5", "announced"),
        ("flexible", "</think>La réponse : **1 234,5** euros", "1 234,5", "announced"),
        ("flexible", "</think>答案是１８。", "18", "announced"),
        ("flexible", "</think>คำตอบคือ ๔๒ บาท", "42", "announced"),
        ("flexible", "</think>First 5, then -7 remain.", "-7", "last_number"),
        ("flexible", "</think>The answer is x = 2 + 3 = 5.", "5", "announced"),
        ("flexible", "</think>The answer is \\sqrt{2}", None, ""),
        ("flexible", "</think>The answer is 2^{10}", None, ""),
        ("flexible", "</think>The answer is 25%.", "25%", "announced"),
        ("flexible", "</think>Step 1: 3\n" + "we get " * 100 + "7.", "7", "last_number"),
        ("flexible", "five and 7", None, ""),
        ("flexible", "</think>nothing", None, ""),
    ],
)
def test_rules(rules, completion, answer, rule):
    assert extract(completion, rules) == Extraction(answer, rule)


def test_a_letter_is_announced_too():
    assert extract("</think>The answer is (C).", "flexible", "choice") == Extraction("C", "announced")
    assert extract("</think>Item 5.", "flexible", "choice") == Extraction(None, "")


def test_a_model_that_does_not_think_answers_in_all_it_writes():
    assert extract("So \\boxed{5}", "strict", thinks=False) == Extraction("5", "box")


def test_an_answer_that_is_too_long_is_not_cut_into_a_right_one():
    assert extract("</think>\\boxed{1" + " " * MAXIMUM_ANSWER + "z}", "strict").answer == ""
    assert extract("</think>\\boxed{" + " " * 1000 + "1}", "strict").answer == "1"


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "{",
        "}",
        "\\boxed{",
        "\\boxed{}",
        "\\boxed ",
        "\\{",
        "\\",
        "</think>",
        "<think>",
        "answer ",
        "1,",
        "1 ",
        "9",
        "-",
        "\\frac{1}{",
    ],
)
def test_time_is_linear_in_hostile_text(rules, unit):
    began = time.perf_counter()
    extract("</think>" + unit * (100_000 // len(unit)), rules)
    extract("</think>\\boxed{" + unit * (100_000 // len(unit)) + "}", rules)
    assert time.perf_counter() - began < 1.0


def test_memory_is_linear_in_nested_boxes():
    assert last_box("\\boxed{" * 100_000 + "}" * 100_000) is None


@pytest.mark.parametrize(
    "answer", ["1" * 26 + "+1", "1" * 26 + "+π", "0.3333333333333333333333…", "1" * 23 + " = x", "一" * 200 + "+"]
)
@pytest.mark.parametrize("language", ["zh", "ko", "en"])
def test_no_answer_takes_exponential_time(answer, language):
    from src.grading.numbers import readings

    began = time.perf_counter()
    readings(answer, language)
    assert time.perf_counter() - began < 0.5


@given(st.text(st.sampled_from("\\{}boxed5 \ud800"), max_size=40))
def test_the_content_of_a_box_is_balanced(text):
    for content in filter(None, [last_box(text)]):
        bare = content.replace("\\{", "").replace("\\}", "")
        assert bare.count("{") == bare.count("}")
