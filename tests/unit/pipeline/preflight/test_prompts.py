"""Prompts are looked at through template, tokenizer and context before anything starts."""

from types import SimpleNamespace

import pytest

from src.data.chat import Chat
from src.data.records import Example, Question
from src.models.context import context_of
from src.models.spec import ModelSpec
from src.pipeline.preflight.prompts import chosen, notes, problems
from src.strategies.fan_out import FanOut
from src.strategies.hack import Hack
from src.strategies.prompt_control import PromptControl
from tests.helpers import tiny

QUESTIONS = [
    Question("1", "fr", "Combien ?", "3"),
    Question("2", "ja", "いくつ", "4"),
    Question("3", "fr", "Et puis ?", "5"),
]


def settings(rows=300, **values):
    text = SimpleNamespace(vocab_size=rows, **values)
    text.get_text_config = lambda: text
    return text


def chat(template=tiny.DEEPSEEK):
    return Chat.of(tiny.tokenizer(template), "none", ModelSpec())


def test_what_is_as_it_should_be_says_nothing():
    assert list(problems(chat(), settings(max_position_embeddings=100), QUESTIONS, 20)) == []


def test_a_prompt_and_its_budget_must_fit_the_context():
    """<|begin|> <|User|> Combien ? <|Assistant|> <think> \\n: 9 letters and 5 more."""
    assert list(problems(chat(), settings(max_position_embeddings=34), QUESTIONS[:1], 20)) == []
    (problem,) = problems(chat(), settings(max_position_embeddings=33), QUESTIONS[:1], 20)
    assert (
        "context of 33 tokens" in problem
        and "up to 14 tokens (problem 1 (fr)) and rollout.maximum_new_tokens=20" in problem
    )
    # Those that the stage leaves out do not count.
    assert list(problems(chat(), settings(max_position_embeddings=33), QUESTIONS[:1], 20, limit=13)) == []


def test_an_example_counts_with_what_is_learned_up_to_the_cutoff():
    """5 + 2 tokens of the prompt; t, </think>, 5 and the end token."""
    example = Example("1", "en", "Hi", "5", "t</think>5")
    (problem,) = problems(chat(), settings(max_position_embeddings=10), [example], 0)
    assert "up to 11 tokens (problem 1 (en))" in problem and problem.endswith("Cut the examples with sft.cutoff")
    assert list(problems(chat(), settings(max_position_embeddings=10), [example], 0, limit=10)) == []


def test_the_engine_must_have_room_for_the_longest_prompt():
    (problem,) = problems(chat(), settings(), QUESTIONS[:1], 20, served=13)
    assert problem.startswith("rollout.vllm.maximum_prompt_tokens must be at least the length of every prompt; got 13")


def test_prompts_are_those_of_the_strategy():
    """`Bon,` is 4 tokens beside the 14; the line of Prompt-Control 33 signs, 4 of them of two bytes, and two line breaks."""
    room = settings(max_position_embeddings=34)
    (problem,) = problems(chat(), room, QUESTIONS[:1], 20, strategy=Hack("marker"))
    assert "up to 18 tokens (problem 1 (fr))" in problem
    assert list(problems(chat(), room, QUESTIONS[:1], 20, limit=17, strategy=Hack("marker"))) == []
    (problem,) = problems(chat(), room, QUESTIONS[:1], 20, strategy=PromptControl())
    assert "up to 53 tokens (problem 1 (fr))" in problem
    (problem,) = problems(chat(), room, QUESTIONS[:1], 20, strategy=FanOut(["fr", "de"]))
    assert "a sequence must fit" in problem


def test_what_the_tokenizer_or_the_template_loses_is_shown_by_language():
    from tokenizers import normalizers

    broken = chat()
    broken.tokenizer.backend_tokenizer.normalizer = normalizers.Replace(" ", "")
    (problem,) = problems(broken, settings(), QUESTIONS, 0)
    assert "in fr they do not" in problem and "problem 1 (fr): 'Combien ?" in problem and "'Combien?" in problem
    upper = chat(tiny.DEEPSEEK.replace("message['content'] }}", "message['content'] | replace('puis', '') }}", 1))
    (problem,) = problems(upper, settings(), QUESTIONS, 0)
    assert "problem 3 (fr): the chat template makes" in problem


def test_a_token_of_a_prompt_needs_a_row():
    (problem,) = problems(chat(), settings(rows=6), [Question("1", "en", "<think>", "3")], 0)
    assert "the model has 6 rows" in problem


def test_questions_with_special_tokens_are_noted():
    assert notes(chat(), QUESTIONS) == []
    (note,) = notes(chat(), [*QUESTIONS, Question("4", "en", "What does <|im_end|> do?", "5")])
    assert note.startswith("1 of 4 questions hold special tokens") and note.endswith("(problem 4, en: <|im_end|>)")


def test_the_first_and_the_longest_of_each_language_are_looked_at():
    rows = [Question(str(n), "en", "x" * n, "1") for n in range(1, 20)] + [Question("a", "fr", "y", "1")]
    assert [row.problem for row in chosen(rows)] == ["1", "2", "19", "18", "17", "a"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"n_positions": 1024}, 1024),
        ({}, None),
        (
            {
                "max_position_embeddings": 32768,
                "rope_parameters": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768},
            },
            131072,
        ),
    ],
)
def test_the_context_is_that_of_the_positions_as_they_are_stretched(values, expected):
    assert context_of(settings(**values)) == expected
