"""The warning where hardly any completion closes its thinking."""

from src.rollout.unclosed import unclosed_note


def test_few_that_close_are_said_with_the_setting():
    said = unclosed_note(["\\boxed{1}"] * 39 + ["a[/THINK]\\boxed{1}"])
    assert said is not None and said.startswith("1 of 40 completions close their thinking")
    assert "model.thinks=false" in said and "hold" not in said


def test_enough_that_close_or_too_few_completions_are_not():
    assert unclosed_note(["a"] * 38 + ["a</think>b"] * 2) is None
    assert unclosed_note(["a"] * 19) is None
    assert unclosed_note([]) is None


def test_a_tag_that_most_hold_is_named():
    said = unclosed_note(["x</scratchpad>\\boxed{1}"] * 20 + ["y"] * 5)
    assert said is not None and "20 of the others hold </scratchpad>" in said
