"""No answer is right against two unequal gold answers: a policy that searches for one that is must not find it."""

import itertools

import pytest

from src.grading.grader import Grader, GraderSpec, Status

GOLDS = [
    ("0", "expression"),
    ("42", "expression"),
    ("-3", "expression"),
    ("0.5", "expression"),
    ("3.14", "expression"),
    ("\\frac{2}{3}", "expression"),
    ("\\frac{1}{2^{99}}", "expression"),
    ("10^{9}", "expression"),
    ("\\sqrt{2}", "expression"),
    ("\\pi", "expression"),
    ("1+\\sqrt{2}", "expression"),
    ("\\infty", "expression"),
    ("-\\infty", "expression"),
    ("2x", "expression"),
    ("x^2+1", "expression"),
    ("(1,2)", "expression"),
    ("\\{1,2\\}", "expression"),
    ("[0,1)", "expression"),
    ("(2,\\infty)", "expression"),
    ("x\\le 5", "expression"),
    ("y=3x", "expression"),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "expression"),
    ("\\text{even}", "expression"),
    ("B", "choice"),
    ("C", "choice"),
]
ATOMS = [
    "\\infty",
    "-\\infty",
    "∞",
    "\\frac{1}{0}",
    "\\frac{0}{0}",
    "\\frac{\\infty}{\\infty}",
    "\\infty-\\infty",
    "\\log 0",
    "0^{0}",
    "\\infty^{0}",
    "1^{\\infty}",
    "\\tan\\frac{\\pi}{2}",
    "\\binom{\\infty}{1}",
    "e^{\\infty}",
    "\\infty!",
    "10^{-400}",
    "\\sin\\infty",
    "\\emptyset",
    "\\text{nan}",
    "x",
    "",
]
WRAPPERS = [
    "{}",
    "|{}|",
    "\\max({},1)",
    "\\min(1,{})",
    "2({})",
    "({})+1",
    "\\sqrt{{{}}}",
    "\\frac{{1}}{{{}}}",
    "0\\cdot({})",
    "x={}",
    "x\\in {}",
    "\\{{{}\\}}",
    "({0},{0})",
    "[{0},{0}]",
    "x<{}",
    "\\lfloor {} \\rfloor",
    "\\lim_{{x\\to {}}} x",
    "\\sum_{{n=1}}^{{{}}} n",
    "\\pm {}",
    "({})\\%",
    "{}=42",
    "42 \\approx {}",
    "({})^\\circ",
    "\\begin{{pmatrix}} {} \\\\ 2 \\end{{pmatrix}}",
]
LISTS = [
    "42 or 0.5",
    "42, 0.5",
    "42; 0.5",
    "42 = 0.5",
    "\\boxed{42} \\boxed{0.5}",
    "42 and \\pi",
    "B or C",
    "B, C",
    "42 或 0.5",
    "42 B",
]


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderSpec(workers=2, timeout=4.0)) as made:
        yield made


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_of_a_family_no_answer_is_right_twice(grader, wrapper):
    answers = [wrapper.format(atom) for atom in ATOMS]
    assert right_twice(grader, answers) == []


def test_of_lists_no_answer_is_right_twice(grader):
    assert right_twice(grader, LISTS) == []


def right_twice(grader, answers):
    """The answers that are right against more than one gold, with those."""
    pairs = list(itertools.product(answers, GOLDS))
    completions = [f"</think>\\boxed{{{answer}}}" for answer, _ in pairs]
    golds, kinds = [gold for _, (gold, _) in pairs], [kind for _, (_, kind) in pairs]
    grades = grader.grade(completions, golds, ["en"] * len(pairs), kinds)
    right = {}
    for (answer, (gold, _)), grade in zip(pairs, grades, strict=True):
        if grade.status is Status.RIGHT:
            right.setdefault(answer, []).append(gold)
    return [(answer, golds) for answer, golds in right.items() if len(golds) > 1]


def test_every_gold_is_right_against_itself_alone(grader):
    answers = [gold for gold, _ in GOLDS]
    assert right_twice(grader, answers) == []
    grades = grader.grade([f"</think>\\boxed{{{a}}}" for a in answers], answers, None, [kind for _, kind in GOLDS])
    assert {grade.status for grade in grades} == {Status.RIGHT}
