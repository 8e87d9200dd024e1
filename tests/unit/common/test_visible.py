"""Nothing that a terminal obeys, or that cannot be seen, passes."""

import pytest

from src.common.visible import one_line, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("\x9b2J", "\\u009b2J"),  # the one-character form of an escape
        ("a\rb", "a\\u000db"),
        ("a\r\nb", "a\nb"),
        ("a\x08\x7f", "a\\u0008\\u007f"),
        ("\u202eevil\u202c", "\\u202eevil\\u202c"),
        ("\u2066x\u2069\u200e\u061c", "\\u2066x\\u2069\\u200e\\u061c"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\u2028\u2029\ufeff\u200b", "\\u2028\\u2029\\ufeff\\u200b"),
        ("a\tb", "a    b"),
        ("5\u202f000\u00a0€", "5 000 €"),
        ("全部で\u30003枚", "全部で\u30003枚"),
        ("ক্‍ষ می‌شود สิบ తెలుగు", "ক্‍ষ می‌شود สิบ తెలుగు"),
        ("[red]x[/red] :smile:", "[red]x[/red] :smile:"),
    ],
)
def test_visible(text, expected):
    assert visible(text) == expected


def test_a_line_stays_one():
    assert one_line("a\nb\r\nc") == "a\\nb\\nc"
