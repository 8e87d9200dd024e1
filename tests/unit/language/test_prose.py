"""What is prose: code, tools, formulas, units and addresses are blanked where they stand."""

import time

import pytest

from src.language.prose import prose


def words(text):
    blanked = prose(text)
    assert len(blanked) == len(text)
    return " ".join(blanked.split())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "Voici :\n```python\ntotal = price * count\n# the total price of all\nprint(total)\n```\nDonc douze.",
            "Voici : Donc douze.",
        ),
        ("Voici :\n```\nunclosed = 3", "Voici :"),
        ("Un `total += item` puis la fin", "Un puis la fin"),
        (
            "Calcul :\n    total = 0\n    for apple in basket:\n        total += apple\nDonc douze.",
            "Calcul : Donc douze.",
        ),
        (
            'Outil :\n<tool_call>\n{"name": "add", "arguments": {"first": 2}}\n</tool_call>\nDonc douze.',
            "Outil : Donc douze.",
        ),
        ('Réponse :\n{"answer": 12,\n"unit": "apples"}\nFin', "Réponse : Fin"),
        ("voir https://example.org/some/page puis continuer", "voir puis continuer"),
        ("donc 3 \\times 4 \\cdot x", "donc 3 4 x"),
        ("vaut $a + b$ ou \\(c\\) ou \\[d\\]", "vaut ou ou"),
        ("il a $5 de plus et elle a $6 de moins", "il a $5 de plus et elle a $6 de moins"),
        ("pèse 5 kg et mesure 30cm", "pèse 5 et mesure 30"),
        ("le cos(x) et sin 2", "le (x) et 2"),
        ("l'angle α et π valent", "l'angle et valent"),
        ("la variable total_price vaut", "la variable vaut"),
    ],
)
def test_what_is_no_prose_is_blanked(text, left):
    assert words(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "```\nThen we add the two numbers together to get the total.\n```",
        "<tool_call>\nThen we add the two numbers together to get the total.\n</tool_call>",
        "`Then we add the two numbers together`",
        "```\n# Then we add the numbers\n# and divide them by three\n# which gives the number of apples\n```",
    ],
)
def test_a_fence_around_sentences_hides_nothing(text):
    assert "Then we add the" in prose(text)


def test_letters_come_in_their_usual_form_and_in_their_place():
    assert prose("Ｔｈｅｎ ｗｅ") == "Then we"
    assert prose("𝐓𝐡𝐞𝐧") == "Then"
    assert prose("ﾏｽﾞ｡") == "マス" + "ﾞ" + "。" or len(prose("ﾏｽﾞ｡")) == 4
    assert prose("ﺱﻼﻡ") == "سلم"  # the ligature of lam and alef stands as its first letter


@pytest.mark.parametrize(
    "unit",
    [
        "$",
        "`",
        "```\n",
        "<tool_call>",
        '{"a":',
        "\\(",
        "x_",
        "3 km ",
        "α",
        "5$ a ",
        "    x = 1\n",
        "# a\n",
        "http://",
        "a@",
        "def f(",
        "<a ",
    ],
)
def test_time_is_linear_in_hostile_text(unit):
    began = time.process_time()
    prose(unit * (100_000 // len(unit)))
    assert time.process_time() - began < 2.0
