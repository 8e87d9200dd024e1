"""The option an answer names, by hand: in any dress and script; several, denied and accidental letters are none."""

import time

import pytest

from src.grading.choices import announced_option, letter, rejected, same_option
from src.grading.normal import normalise


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        ("C", "C"),
        ("c", "C"),
        ("( d )", "D"),
        ("[E]", "E"),
        ("**J**", "J"),
        ("I", "I"),
        ("A", "A"),
        ("\\text{F}", "F"),
        ("\\mathbf{(G)}", "G"),
        # a marked letter is the option whatever its text begins with (Global-MMLU, MMLU)
        ("C. A river in Asia", "C"),
        ("B. I and III only", "B"),
        ("(D) A and C", "D"),
        ("A) CO2", "A"),
        ("D: E. coli", "D"),
        ("B. F = ma", "B"),
        ("A. John D. Rockefeller", "A"),
        ("D. Both (A) and (B)", "D"),
        ("C. Not enough is known", "C"),
        ("C - Lisbon", "C"),
        # letters beside scripts without blanks between words (litellm 35984)
        ("选C", "C"),
        ("答案是D", "D"),
        ("答えはCです", "C"),
        ("Dが正解", "D"),
        ("정답은 C입니다", "C"),
        ("D번", "D"),
        ("ข้อD", "D"),
        ("উত্তর: C", "C"),
        # letters of a script's own, and names of Latin ones in it (NeMo-Skills 1281, lighteval)
        ("ج", "C"),
        ("هـ", "E"),
        ("গ", "C"),
        ("সি", "C"),
        ("ఆ", "B"),
        ("డి", "D"),
        ("ค", "C"),
        ("ㄷ", "C"),
        ("(라)", "D"),
        ("ウ", "C"),
        ("ｳ", "C"),
        ("丙", "C"),
        ("丁. 河", "D"),
        ("Г", "D"),
        ("С", "C"),  # Cyrillic
        ("ⓒ", "C"),
        ("Ⓓ", "D"),
        ("Ｅ", "E"),
        ("𝐃", "D"),
        # in words
        ("Option C", "C"),
        ("the correct answer is D", "D"),
        ("C is correct", "C"),
        ("Die Antwort ist C", "C"),
        ("la bonne réponse est la D", "D"),
        ("A alternativa C", "C"),
        ("Вариант Г", "D"),
        ("option D because A is wrong", "D"),
        ("I think C", "C"),
    ],
)
def test_one_option(answer, option):
    assert letter(normalise(answer)) == option


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "7",
        "Lisbon",
        "Abe",
        "AC",
        # several
        "A, D",
        "C or D",
        "C und D",
        "A/C",
        "(C) or (D)",
        "(C)(D)",
        "C) D)",
        "C. and D.",
        "C. D.",
        "A、D",
        "C和D",
        "CとD",
        "C 또는 D",
        "C أو D",
        "C) red or D) blue",
        "option C or D",
        # denied
        "not C",
        "not option C",
        "C is wrong",
        "C. is incorrect",
        "option D is not correct",
        "nicht C",
        "不是C",
        "C가 아닙니다",
        "Cではない",
        "neither C nor D",
        # letters that are no option: pronouns, articles, names, formulas
        "A river",
        "I only",
        "I do not know",
        "Vitamin C",
        "Hepatitis B",
        "维生素D",
        "ビタミンC",
        "F = ma",
        "C + D",
        "CO2",
        "the strain B of E. coli",
        "\\sqrt{C}",
    ],
)
def test_no_option(answer):
    assert letter(normalise(answer)) is None


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        ("В", "В", True),  # Cyrillic, both
        ("В", "Б", False),  # the third and the second option of a Russian list
        ("B", "В", True),  # typed for the Latin letter
        ("C", "В", False),
        ("B", "Б", True),
        ("খ", "B", True),
        ("B", "A or B", None),
        ("Paris", "B", None),
    ],
)
def test_two_texts_name_one_option(gold, answer, same):
    assert same_option(gold, answer) is same


@pytest.mark.parametrize(
    ("line", "option"),
    [
        (" is C.", ("C", True)),
        (": 🅲", ("C", True)),
        (": **(D)** 12", ("D", True)),
        (" is C because A is wrong", ("C", True)),
        (": C. II and III only is incorrect", (None, True)),
        (": C or D", (None, True)),
        (" is not C", (None, True)),
        (" choices are given below", (None, False)),
        (" is A river", (None, False)),
    ],
)
def test_what_follows_an_announcement(line, option):
    assert announced_option(line) == option


def test_a_denial_outside_bold_text_is_of_the_option():
    assert announced_option(": C. The sum is wrong**", bold=True) == ("C", True)
    assert announced_option(": C. The sum** is wrong", bold=True) == (None, True)


def test_rejected_options():
    assert rejected("So it is not A. Also (C) is wrong, and B is right.") == {"A", "C"}


@pytest.mark.parametrize(
    "unit", ["A ", "A, ", "(A) ", "option ", "the ", "is ", "B is ", "not ", "ب ", "* ", "(", "A. "]
)
def test_hostile_text_is_read_at_once(unit):
    began = time.perf_counter()
    letter(unit * (4_000 // len(unit)))
    announced_option(unit * (4_000 // len(unit)))
    rejected(unit * (4_000 // len(unit)))
    assert time.perf_counter() - began < 2.0
