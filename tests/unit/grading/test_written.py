"""Answers in the ways models write them, in many languages: what must be right, and what must never be."""

import pytest

from src.grading.grader import Grader, GraderSpec, Status

# (gold, answer, language)
RIGHT = [
    ("-5", "负5", "zh"),
    ("-5", "マイナス5", "ja"),
    ("-5", "마이너스 5", "ko"),
    ("-5", "минус 5", "ru"),
    ("-5", "negative 5", "en"),
    ("-5", "- 5 cm", "en"),
    ("-4", "x = - 4\\text{ m}", "en"),
    ("10!", "3628800", "en"),
    ("0.5", "0{,}5", "fr"),
    ("1.5", "1{,}5", "pt"),
    ("18.50", "18{,}50", "de"),
    ("12.50", "12{,}50 €", "es"),
    ("1234.5", "1.234{,}5", "de"),
    ("18", "R$ 18", "pt"),
    ("18", "R$18,00", "pt"),
    ("18", "R\\$ 18,00", "pt"),
    ("1234.50", "R$ 1.234,50", "pt"),
    ("1500", "1.500 ₫", "vi"),
    ("(0.5, 1.5)", "(0,5; 1,5)", "de"),
    ("(0.5, 1.5)", "(0{,}5 ; 1{,}5)", "fr"),
    ("0.5, 1.5", "0,5 ; 1,5", "fr"),
    ("0.5, 1.5", "0,5 et 1,5", "fr"),
    ("1234, 5678", "1,234, 5,678", "en"),
    ("[0,1)", "[0;1[", "fr"),
    ("[0,1)", "[0,1[", "fr"),
    ("(0,1)", "]0,1[", "fr"),
    ("(-\\infty, 2]", "]-\\infty ; 2]", "fr"),
    ("1/2", "2分の1", "ja"),
    ("1/2", "2분의 1", "ko"),
    ("25", "百分之25", "zh"),
    ("25", "百分之二十五", "zh"),
    ("3.5", "三点五", "zh"),
    ("0.3", "零点三", "zh"),
    ("5.5", "五又二分之一", "zh"),
    ("11\\sqrt{2}", "11√2", "en"),
    ("\\infty", "∞", "en"),
    ("x^3", "x³", "en"),
    ("3.5", "3½", "en"),
    ("90", "90\\degree", "en"),
    ("\\emptyset", "\\varnothing", "en"),
    ("\\{1,2\\}", "\\lbrace 1,2 \\rbrace", "en"),
    ("5", "5¢", "en"),
    ("18", "18 €/kg", "de"),
    ("18", "18 см²", "ru"),
    ("0.5", "= 0.5", "en"),
    ("0.5", "\\approx 0.5", "en"),
    ("0.5", "\\color{red}{0.5}", "en"),
    ("0.5", "\\[0.5\\]", "en"),
    ("5", "**5**", "en"),
    ("5", "\\large 5", "en"),
    ("5", "\\bf 5", "en"),
    ("5", "\\underline{5}", "en"),
    ("Evelyn", "**Evelyn**", "en"),
    ("xy", "yx", "en"),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}", "en"),
    ("18", "18 eggs per day", "en"),
    ("18", "18-year-old", "en"),
    ("3:30", "3:30", "en"),
    ("52_8", "52_8", "en"),
    ("52_8", "52_{8}", "en"),
    ("5", "3+2=5", "en"),
    ("5", "x = 2+3 = 5", "en"),
    ("5", "S = a + b = 5", "en"),
    ("10\\text{ cm}", "10", "en"),
    ("5^\\circ", "5", "en"),
    ("\\text{(C)}", "(C)", "en"),
    ("18", "18cm", "en"),
    ("1,234", "1234", "en"),
    ("18", "18 eggs!", "en"),
    ("0.5", "0,5", "de"),
    ("1234.5", "1.234,5 km", "de"),
    ("5", "答えは5個です", "ja"),
    ("5", "ответ: 5 яблок", "ru"),
    ("12", "12個のりんご", "ja"),
    ("100", "100元", "zh"),
    ("12", "12 quả táo", "vi"),
]
# A minus in words, letters that are variables, words that change a number, several answers, other problems' answers.
NEVER_RIGHT = [
    ("5", "负5", "zh"),
    ("5", "マイナス5", "ja"),
    ("5", "마이너스 5", "ko"),
    ("5", "минус 5", "ru"),
    ("5", "menos 5", "es"),
    ("5", "moins 5", "fr"),
    ("5", "meno 5", "it"),
    ("5", "ลบ 5", "th"),
    ("5", "âm 5", "vi"),
    ("5", "سالب 5", "ar"),
    ("5", "মাইনাস ৫", "bn"),
    ("5", "మైనస్ 5", "te"),
    ("5", "hasi 5", "sw"),
    ("5", "negatif 5", "id"),
    ("5", "- 5 cm", "en"),
    ("5", "−  5 °C", "en"),
    ("5", "- 5\\%", "en"),
    ("5", "-USD 5", "en"),
    ("5", "-(5)", "en"),
    ("-3", "-(-3)", "en"),
    ("-3", "--3", "en"),
    ("5", "5π", "en"),
    ("5", "5pi", "en"),
    ("5", "5xy", "en"),
    ("5", "5ab", "en"),
    ("5", "5α", "en"),
    ("5", "5xy^2", "en"),
    ("5", "5t", "en"),
    ("5", "t - 5", "en"),
    ("5", "5 - t", "en"),
    ("5", "5 - pi", "en"),
    ("5", "sqrt(5)", "en"),
    ("5", "ln(5)", "en"),
    ("5", "log 5", "en"),
    ("5", "\\operatorname{arcsin}(5)", "en"),
    ("5", "根号5", "zh"),
    ("5", "루트 5", "ko"),
    ("5", "5의 제곱", "ko"),
    ("6xy", "6", "en"),
    ("6ab", "6", "en"),
    ("5t", "5", "en"),
    ("5-t", "5", "en"),
    ("5", "5!", "en"),
    ("5", "5 Mio.", "de"),
    ("5", "5 Mrd.", "de"),
    ("5", "5einhalb", "de"),
    ("5", "5 млн", "ru"),
    ("5", "5 тыс.", "ru"),
    ("5", "5 сотен", "ru"),
    ("5", "5 lakh", "en"),
    ("5", "5 crore", "en"),
    ("5", "5 bn", "en"),
    ("5", "5 squared", "en"),
    ("5", "twice 5", "en"),
    ("5", "5 billones", "es"),
    ("5", "5 bilhões", "pt"),
    ("5", "5 tỷ", "vi"),
    ("5", "5兆", "zh"),
    ("5", "5分之一", "zh"),
    ("5", "5的平方", "zh"),
    ("5", "5조", "ko"),
    ("5", "5割", "ja"),
    ("5", "5 ร้อย", "th"),
    ("5", "5 مئة", "ar"),
    ("5", "সাড়ে ৫", "bn"),
    ("5", "5 mia", "sw"),
    ("x=2, y=3", "x=3, y=2", "en"),
    ("y=5", "x=5", "en"),
    ("(1,2)", "1.2", "de"),
    ("(3,5)", "7/2", "de"),
    ("三角形", "三边", "zh"),
    ("3", "三角形", "zh"),
    ("一次函数", "1", "zh"),
    ("영희", "영수", "ko"),
    ("1", "一半", "zh"),
    ("5", "오전", "ko"),
    ("17", "18$ $17", "en"),
    ("25\\%", "0.25\\%", "en"),
    ("5\\times 10^{500}", "5\\times 10^{600}", "en"),
    ("9", "x=8=9", "en"),
    ("52_8", "52_9", "en"),
    ("5", "5_8", "en"),
    ("3:30", "1:10", "en"),
    ("\\text{June 20}", "July 20", "en"),
    ("\\text{June 20}", "20", "en"),
    ("1234", "1,234e3", "en"),
    ("\\begin{pmatrix} 7 \\\\ 16 \\end{pmatrix}", "\\begin{pmatrix} 16 \\\\ 7 \\end{pmatrix}", "en"),
    ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\begin{pmatrix} 1 & 3 \\\\ 2 & 4 \\end{pmatrix}", "en"),
    ("9", "5+5=9", "en"),
    ("9", "2*3=9", "en"),
    ("5", "7=5+1", "en"),
]


@pytest.fixture(scope="module")
def statuses():
    rows = RIGHT + NEVER_RIGHT
    with Grader(GraderSpec(timeout=20)) as grader:
        completions = [f"</think>\\boxed{{{answer}}}" for _, answer, _ in rows]
        golds, languages = [gold for gold, _, _ in rows], [code for _, _, code in rows]
        return [grade.status for grade in grader.grade(completions, golds, languages)]


def test_other_ways_of_writing_are_right(statuses):
    wrong = [row for row, status in zip(RIGHT, statuses, strict=False) if status is not Status.RIGHT]
    assert wrong == []


def test_what_only_looks_alike_is_not_right(statuses):
    right = [row for row, status in zip(NEVER_RIGHT, statuses[len(RIGHT) :], strict=True) if status is Status.RIGHT]
    assert right == []


@pytest.mark.parametrize(
    ("gold", "answer"),
    [("A", "A, B"), ("A", "(A) and (B)"), ("A", "(A, C)"), ("A", "A. or B."), ("A", "A cat"), ("A", "not A")],
)
def test_several_letters_are_no_choice(gold, answer):
    with Grader(GraderSpec()) as grader:
        (grade,) = grader.grade([f"</think>\\boxed{{{answer}}}"], [gold], ["en"], ["choice"])
    assert grade.status is not Status.RIGHT


@pytest.mark.parametrize("answer", ["A opção B", "E la B", "В", "option B", "I think B"])
def test_a_letter_among_words_is_found(answer):
    with Grader(GraderSpec()) as grader:
        assert grader.grade([f"</think>\\boxed{{{answer}}}"], ["B"], ["pt"], ["choice"])[0].status is Status.RIGHT
