"""Plain notation of questions: what is rewritten, and what stays because it may mean something else."""

import pytest

from src.data.chat import question_text
from src.data.notation import plain_notation
from src.data.records import Question
from src.language.table import language


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("値段は２，５００円です。", "値段は2500円です。"),
        ("箱が１２個、重さは３．５kgです。", "箱が12個、重さは3.5kgです。"),
        ("人口は1,204,300人です。", "人口は1204300人です。"),
        ("x＝7のとき", "x＝7のとき"),
        ("点(1,200)を通る直線", "点(1,200)を通る直線"),  # a point
        ("点（１，２００）を通る", "点（1,200）を通る"),
        ("数列 100,200,300,… の和", "数列 100,200,300,… の和"),  # a sequence
        ("次の数 100,200,300 の平均", "次の数 100,200,300 の平均"),
        ("集合{1,200}と50", "集合{1,200}と50"),
        ("¥12,800の10%", "¥12800の10%"),
        ("重さは1,250 gで長さは2,000メートル", "重さは1250 gで長さは2000メートル"),
        ("答えは1,500です", "答えは1,500です"),
        ("12,34 と 3,4567", "12,34 と 3,4567"),
        ("三千円と百円", "三千円と百円"),
    ],
)
def test_japanese(text, plain):
    assert plain_notation(text, "ja") == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Hay 2.450.000 libros.", "Hay 2450000 libros."),
        ("Mide 3.125 metros.", "Mide 3.125 metros."),  # a decimal or thousands: it stays
        ("Hay 12\u202f500 libros y 7\u00a0000 revistas.", "Hay 12500 libros y 7000 revistas."),
        ("los números 12 500 y 3", "los números 12 500 y 3"),  # a plain space may separate two numbers
        ("mcd(8, 12) y MCM(4, 6)", "gcd(8, 12) y lcm(4, 6)"),
        ("m.c.d.(8, 12) y m. c. m. (4, 6)", "gcd(8, 12) y lcm (4, 6)"),
        (r"$\operatorname{mcd}(a,b)\cdot\text{mcm}(a,b)$", r"$\gcd(a,b)\cdot\operatorname{lcm}(a,b)$"),
        (r"$\mathrm{m.c.m.}(3, 5)$", r"$\operatorname{lcm}(3, 5)$"),
        ("17 ≡ 2 (mód 5) y 9 mód. 4", "17 ≡ 2 (mod 5) y 9 mod 4"),
        ("Resuelve módulo 7.", "Resuelve mod 7."),
        ("El módulo del vector", "El módulo del vector"),
        ("el máximo común divisor de 8 y 12", "el máximo común divisor de 8 y 12"),
        ("la mcd de la clase", "la mcd de la clase"),
        ("1,234 y 5,678", "1,234 y 5,678"),
    ],
)
def test_spanish(text, plain):
    assert plain_notation(text, "es") == plain


@pytest.mark.parametrize("code", ["fr", "de", "en", "ko", "zh"])
def test_other_languages_have_half_width_digits_and_nothing_else(code):
    assert plain_notation("1.234.567, 1,234, １２ mcd(2, 4)", code) == "1.234.567, 1,234, 12 mcd(2, 4)"


@pytest.mark.parametrize("code", ["ja", "es", "fr"])
def test_it_is_done_once(code):
    text = "１，２００ 1.234.567 mcd(1, 2) 3,456 (1,200)"
    once = plain_notation(text, code)
    assert plain_notation(once, code) == once


def test_it_is_an_option_of_the_prompt():
    question = Question("p", "ja", "りんごが１，２００個あります。", "1200")
    assert question_text(question, "none") == question.question
    assert question_text(question, "plain") == "りんごが1200個あります。"
    line = language("ja").instruction
    assert question_text(question, "localised") == f"{line}\n\n{question.question}"
    assert question_text(question, "localised_plain") == f"{line}\n\nりんごが1200個あります。"
