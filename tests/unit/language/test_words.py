"""Words in the wrong script, by hand."""

import pytest

from src.language.words import word_pass


@pytest.mark.parametrize(
    ("text", "code", "passes"),
    [
        ("それから we add them", "ja", False),
        ("Tom は三つ持っています", "ja", True),
        ("3 \\times 5 は max より大きい", "ja", True),
        ("삼각형 ABC의 넓이는 5cm 입니다", "ko", True),
        ("다음 所以 답은", "ko", False),
        ("答案是 пять", "zh", False),
        ("角度 θ 和 φ 相等", "zh", True),
        ("ответ equals пять", "ru", False),
        ("цена 5 USD за кг", "ru", True),
        ("le nombre α et π", "fr", True),
        ("le nombre число", "fr", False),
        ("la ville (東京) et « 三国演义 »", "fr", True),
        ("il dit (затем мы складываем эти два числа вместе)", "fr", False),
        ("Ｔｈｅｎ ｗｅ ａｄｄ", "ja", False),
    ],
)
def test_words_in_the_wrong_script(text, code, passes):
    assert word_pass(text, code) is passes
