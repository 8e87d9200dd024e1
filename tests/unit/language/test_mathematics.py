"""Removal of mathematics: the published patterns themselves as the reference, and time that grows with the length."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.language.mathematics import blank_displays, strip_mathematics

PUBLISHED = [
    r"\$\$[\s\S]*?\$\$",
    r"\\\[[\s\S]*?\\\]",
    r"\$[^$]*\$",
    r"\\\([\s\S]*?\\\)",
    r"\\begin\{[^}]*\}[\s\S]*?\\end\{[^}]*\}",
    r"\\[a-zA-Z]+\{[^}]*\}",
    r"(?<!\w)[\d+\-*/=^.,()\[\]{}%_]+(?!\w)",
]
DELIMITERS = ["$", "$$", "\\[", "\\]", "\\(", "\\)", "\\begin{", "\\end{", "\\text{"]
PIECES = [*DELIMITERS, *"{}\\aéか1४_+=.,()[]% \n"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_the_linear_removal_equals_the_published_patterns(text):
    expected = text
    for pattern in PUBLISHED:
        expected = re.sub(pattern, " ", expected)
    assert strip_mathematics(text) == expected.strip()


@pytest.mark.parametrize(
    "unit",
    ["[", "\\", "$", "$$$", "\\[", "\\(a", "\\begin{", "\\begin{a}", "\\a{", "1a", "\\boxed ", "}\\a{", "_(", "\ud800"],
)
def test_time_is_linear_in_hostile_text(unit):
    text = "}" + unit * (100_000 // len(unit))
    began = time.process_time()
    strip_mathematics(text)
    assert time.process_time() - began < 1.0


def test_the_end_of_a_long_text_is_stripped_too():
    assert strip_mathematics("a " * 30_000 + "$x$ b").endswith("a   b")


def test_only_displays_reach_across_lines():
    assert blank_displays("a\n\\[\n\\text{speed}\n\\]\nb\n$5 c\n$6 d") == "a\n" + " " * 18 + "\nb\n$5 c\n$6 d"
