"""What ends a turn is read off tokenizer, generation settings and chat template, and written into what is exported."""

from types import SimpleNamespace

import pytest

from src.models.ends import ends_of, learned_end, note_ends, turn_end
from tests.helpers import templates, tiny

CASES = {  # template -> the token it puts after an assistant's content
    tiny.DEEPSEEK: "<|end|>",
    tiny.QWEN3: "<|im_end|>",
    templates.DATED: "<|im_end|>",
    templates.DATED_BY_MACRO: "<|im_end|>",
    templates.THINKING: "<|end|>",
    templates.PARTS: "<|im_end|>",
    templates.NO_SYSTEM: "<|im_end|>",
    templates.NEEDS_SYSTEM: "<|im_end|>",
    templates.INSTRUCTIONS: "<|end|>",
    templates.NO_END: None,
    templates.OTHER_ROLES: None,
}


@pytest.mark.parametrize("source", CASES)
def test_the_end_of_a_turn_is_what_the_template_puts_after_the_content(source):
    tokenizer = tiny.tokenizer(source)
    token = None if CASES[source] is None else tokenizer.convert_tokens_to_ids(CASES[source])
    assert turn_end(tokenizer) == token
    assert learned_end(tokenizer) == (tokenizer.eos_token_id if token is None else token)


def test_words_after_the_content_are_no_end():
    """The plain text of a tag that the tokenizer does not know, and an added word."""
    tokenizer = tiny.tokenizer("{% for message in messages %}{{ message.content }} END<|unknown|>{% endfor %}")
    tokenizer.add_tokens(["END"])
    assert turn_end(tokenizer) is None


@pytest.mark.parametrize(("own", "expected"), [(None, (3,)), (3, (3,)), (5, (3, 5)), ([3, 9], (3, 9))])
def test_end_tokens_are_those_of_tokenizer_and_model(own, expected):
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=own))
    assert ends_of(SimpleNamespace(eos_token_id=3), model) == expected


def test_the_generation_settings_come_to_name_every_end():
    tokenizer = tiny.tokenizer(tiny.QWEN3)  # its own end is 0, the template's 4
    for own, expected in ((None, [0, 4]), (0, [0, 4]), ([4, 0], [4, 0]), ([7], [0, 4, 7])):
        model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=own))
        note_ends(model, tokenizer)
        assert model.generation_config.eos_token_id == expected
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=None))
    note_ends(model, tiny.tokenizer(tiny.DEEPSEEK))
    assert model.generation_config.eos_token_id == 0
