"""A completion cut into the stretches of its languages, its answer, and what stands around them."""

import pytest

from src.common.visible import visible
from src.reporting.rollout_pieces import ANSWER, AROUND, WHOLE, pieces


def cut(completion, detected="fr", switches=(), thinks=True):
    return pieces({"completion": completion, "detected": detected, "switches": list(switches)}, thinks)


def test_the_pieces_are_the_completion():
    assert cut("<think>\nDeux et deux. Makes four.\n</think>\n\n\\boxed{4}\n", switches=["14 fr>en"]) == [
        (AROUND, "<think>\n"),
        ("fr", "Deux et deux. "),
        ("en", "Makes four."),
        (AROUND, "\n</think>\n\n"),
        (ANSWER, "\\boxed{4}"),
        (AROUND, "\n"),
    ]


def test_positions_are_characters_whatever_their_size():
    """Signs that are two units in JavaScript, and controls that are written out, do not move a switch."""
    assert cut("😀\x07Un. Two.</think>", switches=["6 fr>en"]) == [
        ("fr", "😀\\u0007Un. "),
        ("en", "Two."),
        (AROUND, "</think>"),
    ]


def test_a_trace_that_is_not_closed_has_no_answer():
    assert cut("Un, deux", detected=None) == [("", "Un, deux")]


def test_without_thinking_all_is_trace_and_answer_at_once():
    assert cut("Deux. \\boxed{2}", thinks=False) == [("fr", "Deux. \\boxed{2}")]


def test_a_trace_of_several_parts_is_followed_by_the_completion():
    shown = cut("<think>Un.</think><think>Deux.</think>\\boxed{3}")
    assert shown[-2:] == [(ANSWER, "\\boxed{3}"), (WHOLE, "<think>Un.</think><think>Deux.</think>\\boxed{3}")]
    assert shown[0] == ("fr", "Un.\nDeux.")


@pytest.mark.parametrize("completion", ["", None])
def test_nothing_has_no_pieces(completion):
    assert cut(completion) == []


@pytest.mark.parametrize(
    "completion",
    [
        "a</think>b",
        "<think>think</think>5",
        "x" * 60_000 + "</think>7<|im_end|>after",
        "\ud800 half </think> \x00",
        "5</think>5",
        "\r\nun\r\n</think>\r\n5",
    ],
)
def test_nothing_is_left_out(completion):
    assert "".join(text for _, text in cut(completion)) == visible(completion)
