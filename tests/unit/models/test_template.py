"""The prompt is what was asked, on any day, whatever the template calls things."""

import time

import pytest

from src.data.chat import Chat, UnclearThinking
from src.models.spec import ModelSpec
from src.models.template import Template, UnusableTemplate
from tests.helpers import templates, tiny


@pytest.mark.parametrize("source", [templates.DATED, templates.DATED_BY_MACRO])
def test_prompts_do_not_depend_on_the_day(monkeypatch, source):
    """The clock of transformers says another day; the prompt says the one it was given."""
    from transformers.utils import chat_template_utils

    tokenizer = tiny.tokenizer(source)
    before = Template.of(tokenizer).render("Hi")

    class Later(chat_template_utils.datetime):
        @classmethod
        def now(cls):
            return cls.fromtimestamp(time.time() + 86_400)

    monkeypatch.setattr(chat_template_utils, "datetime", Later)
    assert Template.of(tokenizer).render("Hi") == before
    assert "26 Jul 2024" in before or "2024-07-26" in before
    other = Template.of(tokenizer, "2025-12-31").render("Hi")
    assert "31 Dec 2025" in other or "2025-12-31" in other
    assert Template.of(tokenizer).dated


def test_a_template_without_a_date_is_not_dated():
    assert not any(Template.of(tiny.tokenizer(source)).dated for source in (tiny.DEEPSEEK, tiny.QWEN3, tiny.QWEN2))


@pytest.mark.parametrize(
    ("source", "think", "prompt"),
    [
        (templates.THINKING, "template", "<|begin|><|User|>Hi<|Assistant|><think>"),
        (
            templates.THINKING_ASKED,
            "model",
            "<|im_start|>system\nThink between <think></think>.<|im_end|><|im_start|>userHi<|end|>\n<|im_start|>assistant",
        ),
    ],
)
def test_thinking_is_switched_by_any_of_its_names(source, think, prompt):
    chat = Chat.of(tiny.tokenizer(source), "none", ModelSpec())
    assert chat.think == think and chat.text("Hi") == prompt


def test_thinking_is_off_where_nobody_marks_it():
    chat = Chat.of(tiny.tokenizer(templates.THINKING), "none", ModelSpec(thinks=False, think="none"))
    assert chat.text("Hi") == "<|begin|><|User|>Hi<|Assistant|></think>"
    chat = Chat.of(tiny.tokenizer(templates.THINKING_ASKED), "none", ModelSpec(thinks=False, think="none"))
    assert chat.text("Hi") == "<|im_start|>userHi<|end|>\n<|im_start|>assistant"


def test_a_prompt_that_closes_its_thinking_is_refused():
    tokenizer = tiny.tokenizer(templates.ALWAYS_CLOSED)
    with pytest.raises(
        UnclearThinking, match=r"ends every prompt with </think>, and enable_thinking=true.*model.thinks=false"
    ):
        Chat.of(tokenizer, "none", ModelSpec())
    assert Chat.of(tokenizer, "none", ModelSpec(thinks=False, think="none")).text("Hi").endswith("</think>\n\n")


@pytest.mark.parametrize(
    ("source", "prompt"),
    [
        (templates.PARTS, "<|begin|><|im_start|>user\nHi<|im_end|>\n<|im_start|>model\n"),
        (templates.NO_SYSTEM, "<|begin|><|im_start|>user\nHi<|im_end|>\n<|im_start|>model\n"),
        (templates.NEEDS_SYSTEM, "<|im_start|>system\n<|im_end|><|im_start|>user\nHi<|im_end|><|im_start|>assistant\n"),
        (templates.INSTRUCTIONS, "<|begin|>[INST] Hi [/INST]"),
    ],
)
def test_the_question_stands_in_the_prompt_in_the_form_that_the_template_takes(source, prompt):
    assert Template.of(tiny.tokenizer(source)).render("Hi") == prompt


def test_a_template_that_loses_the_question_is_refused_with_what_came_instead():
    with pytest.raises(UnusableTemplate, match=r"it makes 'go on'. Give one that does with model.chat_template=<file>"):
        Template.of(tiny.tokenizer(templates.OTHER_ROLES))
    broken = "{{ raise_exception('only for tools') }}"
    with pytest.raises(UnusableTemplate, match="it refuses: only for tools"):
        Template.of(tiny.tokenizer(broken))
