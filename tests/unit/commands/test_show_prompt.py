"""The prompts that are shown are those that are trained on."""

from src.commands.show_prompt import show, shown
from src.data.chat import Chat
from src.data.records import Example, Question, write_records
from src.models.spec import ModelSpec
from tests.helpers import tiny


def test_a_prompt_shows_its_special_tokens_and_where_sampling_begins():
    """<|im_start|> user \\n H i <|im_end|> \\n <|im_start|> a s s i s t a n t \\n: a token a character."""
    chat = Chat.of(tiny.tokenizer(tiny.QWEN3), "none", ModelSpec())
    text = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n▶"
    assert shown(chat, Question("1", "en", "Hi", "5")) == "[21 prompt tokens]\n" + text
    example = Example("1", "en", "Hi", "5", "t</think>5")
    assert shown(chat, example) == "[21 prompt tokens, 6 learned]\n" + text + "<think>\nt</think>5<|im_end|>"


def test_every_language_is_shown_once_for_grpo_and_once_for_sft(compose, random_model):
    run = compose("+experiment=grpo", "scale=tiny", f"model.path={random_model}", "data.instruction=localised")
    page = show(run)
    assert "the chat template ends the prompt with <think> (found); model.think=auto" in page
    for code in run.world.trained_languages:
        assert page.count(f"== GRPO {code} ==") == page.count(f"== SFT {code} ==") == 1


def test_the_strategy_is_shown_and_each_of_its_rounds(compose, random_model):
    run = compose("+experiment=grpo", "scale=tiny", f"model.path={random_model}", "strategy=hack")
    page = show(run)
    assert "strategy: hack;" in page
    # Of GRPO and of the evaluation, not of SFT.
    assert page.count("Je vais réfléchir en français, étape par étape.\n▶") == 2
    run = compose("+experiment=evaluate", "scale=tiny", f"model.path={random_model}", "strategy=clp")
    page = show(run)
    assert page.count("== evaluation fr ==") == page.count("== evaluation fr, round 2 ==") == 1
    assert "Now you are an expert in arithmetic" in page.split("== evaluation fr, round 2 ==")[1]


def test_an_evaluation_shows_the_questions_of_its_benchmark(compose, random_model, tmp_path):
    file = tmp_path / "own.jsonl"
    rows = [Question("1", "fr", "Combien font 3 et 4 ?", "7"), Question("2", "en", "What is 3 + 4?", "7")]
    write_records(file, rows)
    page = show(
        compose(
            "+experiment=evaluate",
            "scale=tiny",
            f"model.path={random_model}",
            "benchmark=jsonl",
            f"benchmark.questions_file={file}",
            "evaluation.languages=[fr,en]",
        )
    )
    assert "== evaluation fr ==" in page and "<|user|>Combien font 3 et 4 ?<|assistant|>" in page
    assert "== evaluation en ==" in page and "GRPO" not in page and "SFT" not in page
