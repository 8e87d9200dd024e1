"""Rows of (gold, answer, language, verdict): what counts as the same answer, and what does not."""

import pytest

from src.grading.compare import compare
from src.grading.grader import Grader, GraderSpec, Status
from src.grading.normal import normalise

AT_ONCE = [  # decided without a worker
    # separators by language; the English notation is understood everywhere
    ("1234.5", "1.234,5", "de", "right"),
    ("1234.5", "1.234,5", "es", "right"),
    ("1234.5", "1.234,5", "pt", "right"),
    ("1234.5", "1 234,5", "fr", "right"),
    ("1234.5", "1\u202f234,5", "fr", "right"),
    ("1234.5", "1\u00a0234,5", "ru", "right"),
    ("1234.5", "1,234.5", "en", "right"),
    ("1234.5", "1,234.5", "ja", "right"),
    ("1234.5", "1,234.5", "de", "right"),
    ("1234", "1.234", "de", "right"),
    ("1.234", "1.234", "de", "right"),
    ("1234", "1.234", "en", "wrong"),
    ("1234", "1,234", "de", "right"),
    ("100000", "1,00,000", "bn", "right"),
    ("0.5", "0,5", "fr", "right"),
    ("0.5", "0,5", "de", "right"),
    ("2,125", "2125", "sw", "right"),
    ("18.0", "18", "th", "right"),
    ("18", "18.000", "en", "right"),
    ("8.0", "8", "ko", "right"),
    ("1234567", "1.234.567", "es", "right"),
    ("1234567", "1'234'567", "de", "right"),
    # native digits
    ("42", "৪২", "bn", "right"),
    ("42", "๔๒", "th", "right"),
    ("42", "౪౨", "te", "right"),
    ("42", "٤٢", "ar", "right"),
    ("42", "۴۲", "ar", "right"),
    ("42", "४२", "en", "right"),
    ("42", "４２", "ja", "right"),
    ("1200.5", "١٬٢٠٠٫٥", "ar", "right"),
    # numerals in words
    ("15", "十五", "zh", "right"),
    ("3500", "三千五百", "zh", "right"),
    ("100000000", "一亿", "zh", "right"),
    ("35000", "3万5千", "ja", "right"),
    ("35000", "3만 5천", "ko", "right"),
    ("205", "二百零五", "zh", "right"),
    ("250", "二百五", "zh", "right"),
    ("205", "二百五", "ja", "right"),
    ("10000", "一万", "zh", "right"),
    ("12345", "一万二千三百四十五", "zh", "right"),
    ("18", "十八个", "zh", "right"),
    ("1/3", "三分之一", "zh", "right"),
    ("-5", "负五", "zh", "right"),
    ("23", "이십삼", "ko", "right"),
    ("18", "18千米", "zh", "right"),
    ("100000", "壹拾万", "zh", "right"),
    # units, currency, percent, text around
    ("18", "$18", "en", "right"),
    ("18", "\\$18.00", "en", "right"),
    ("18", "18 €", "de", "right"),
    ("18", "12,50 €", "de", "wrong"),
    ("-18", "-$18", "en", "right"),
    ("18", "18\\text{ dollars}", "en", "right"),
    ("18", "18個", "ja", "right"),
    ("18", "18 яблок", "ru", "right"),
    ("18", "18 টাকা", "bn", "right"),
    ("18", "18 บาท", "th", "right"),
    ("50", "50 km/h", "en", "right"),
    ("12", "12\\text{ cm}^2", "en", "right"),
    ("180", "180^\\circ", "en", "right"),
    ("25", "25%", "en", "right"),
    ("25", "25\\%", "fr", "right"),
    ("0.25", "25\\%", "en", "right"),
    ("25\\%", "25", "en", "right"),
    ("25\\%", "0.25", "en", "right"),
    ("25", "0.25", "en", "wrong"),
    ("5", "x = 5", "en", "right"),
    ("18", "The answer is 18.", "en", "right"),
    ("18", "답: 18", "ko", "right"),
    ("18", "18 (eggs)", "en", "right"),
    # not so much as to be wrong
    ("5", "6=5", "en", "wrong"),
    ("5", "5²", "en", None),
    ("5", "5x", "en", "wrong"),
    ("5", "5 thousand", "en", "wrong"),
    ("5", "5 and 6", "en", "wrong"),
    ("5", "5-6", "en", None),
    ("5", "5:30", "en", "wrong"),
    ("5", "5 and a half", "en", "unparsed"),
    ("5", "5 ล้าน", "th", "wrong"),
    # fractions and powers of ten
    ("0.5", "\\frac{1}{2}", "en", "right"),
    ("\\frac{1}{2}", "1/2", "en", "right"),
    ("\\frac12", "0.5", "en", "right"),
    ("1500", "1.5e3", "en", "right"),
    ("1500", "1.5 \\times 10^{3}", "en", "right"),
    ("1500", "1,5·10³", "de", "right"),
    ("0.0015", "1.5×10⁻³", "en", "right"),
    ("1/3", "0.333", "en", "wrong"),
    ("3.5", "3 \\frac{1}{2}", "en", "right"),
    # lists
    ("(1,2)", "(1, 2)", "en", "right"),
    ("(1,2)", "(2,1)", "en", "wrong"),
    ("(3,1)", "(2,1)", "en", "wrong"),
    ("(1,2)", "1, 2", "en", "right"),
    ("\\{1,2\\}", "\\{2,1\\}", "en", "right"),
    ("1,-2", "-2, 1", "en", "right"),
    ("1,-2", "1,2", "en", "wrong"),
    ("\\{1,1,2\\}", "\\{1,2,2\\}", "en", "right"),  # as sets
    ("1, 1, 2", "1, 2, 2", "en", "wrong"),
    ("[1,2)", "[1,2)", "en", "right"),
    ("[1,2)", "(1,2)", "en", "wrong"),
    ("(1,2]", "(1,2)", "en", "wrong"),
    ("(1,2)", "(1,2,3)", "en", "wrong"),
    ("(0.5, 1)", "\\left(\\frac{1}{2}, 1\\right)", "en", "right"),
    ("(1, (2, 3))", "(1,(2,3))", "en", "right"),
    ("1, 2", "1, 2", "fr", "right"),
    # words
    ("\\text{Evelyn}", "Evelyn", "en", "right"),
    ("\\text{Evelyn}", "Navin", "en", "wrong"),
    ("east", "East", "en", "right"),
]
BY_FORMULA = [
    ("15", "3(5)", "right"),
    ("8", "3(5)", "wrong"),
    ("8", "3 \\frac{5}{1}", "wrong"),
    ("35", "3~5", "unparsed"),
    ("35", "3\\,5", "unparsed"),
    ("x+1", "1+x", "right"),
    ("\\frac{\\sqrt{4}}{8}", "\\frac{1}{4}", "right"),
    ("4", "\\sqrt{16}", "right"),
    ("2\\sqrt{3}", "\\sqrt{12}", "right"),
    ("\\pi", "3.14", "wrong"),
    ("(x+1)^2", "x^2+2x+1", "right"),
    ("(\\sqrt{4}, 3)", "(2, 3)", "right"),
    ("(\\sqrt{4}, 3)", "(3, 3)", "wrong"),
    ("\\{\\sqrt{2}, 1\\}", "\\{1, \\sqrt{2}\\}", "right"),
    ("9", "3^2", "right"),
    ("\\frac{\\pi}{2}", "\\frac{1}{2}\\pi", "right"),
    ("5", "2+3", "right"),
    ("(-\\infty, 3)", "(-\\infty,3)", "right"),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "right"),
]


@pytest.mark.parametrize(("gold", "answer", "language", "verdict"), AT_ONCE)
def test_at_once(gold, answer, language, verdict):
    assert compare(normalise(gold), normalise(answer), language) == verdict


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderSpec(timeout=20)) as made:
        yield made


@pytest.mark.parametrize(("gold", "answer", "verdict"), BY_FORMULA)
def test_by_formula(grader, gold, answer, verdict):
    (grade,) = grader.grade([f"</think>\\boxed{{{answer}}}"], [gold])
    assert compare(normalise(gold), normalise(answer)) is None and grade.status is Status(verdict)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("B", "right"),
        ("b", "right"),
        ("(B)", "right"),
        ("B. Paris", "right"),
        ("\\text{B}", "right"),
        ("Option B", "right"),
        ("Ｂ", "right"),
        ("B)", "right"),
        ("ข้อ B", "right"),
        ("C", "wrong"),
        ("A or B", "unparsed"),
        ("Paris", "unparsed"),
        ("Bob", "unparsed"),
    ],
)
def test_multiple_choice(answer, verdict):
    assert compare("B", normalise(answer), "en", "choice") == verdict


def test_what_is_not_seen_changes_nothing():
    assert compare("18", normalise("\u200f1\u200b8\u200e\x00"), "ar") == "right"
