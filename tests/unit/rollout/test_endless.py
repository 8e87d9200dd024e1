"""Where nothing ever ends, the user is told what to change."""

from src.rollout.endless import endless_note
from src.rollout.strange import note_of


def test_completions_that_are_all_cut_off_name_the_setting_and_the_mark_that_they_hold():
    said = endless_note(["a<|im_end|><|im_end|>b"] * 15 + ["a"] * 5, [True] * 20, 96)
    assert said is not None
    assert said.startswith("none of 20 completions ended within rollout.maximum_new_tokens=96: allow more, or")
    assert said.endswith("to eos_token_id in generation_config.json. 15 of them hold <|im_end|>")
    assert str(endless_note(["a"] * 20, [True] * 20, 96)).endswith("in generation_config.json")


def test_one_that_ended_or_too_few_say_nothing():
    assert endless_note(["a"] * 20, [True] * 19 + [False], 96) is None
    assert endless_note(["a"] * 19, [True] * 19, 96) is None
    assert endless_note([], [], 96) is None


def test_of_completions_without_end_their_open_thinking_is_no_news():
    texts, cut = ["thinks on"] * 20, [True] * 20
    assert "rollout.maximum_new_tokens=24" in str(note_of(texts, cut, True, 24))
    assert "model.thinks=false" in str(
        note_of(texts, cut, True, None)
    )  # saved ones: nobody knows how many tokens they had
    assert note_of(texts, [False] * 20, False, 24) is None
