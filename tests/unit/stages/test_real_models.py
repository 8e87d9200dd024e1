"""What training on a real model adds to the stages: no needless reference, limits on lengths, held-out problems."""

import pytest

from src.data.chat import Chat
from src.data.readers import BadData
from src.data.records import Example, Question, write_records
from src.data.sources import sft_examples, validation_examples
from src.data.spec import DataSpec
from src.data.world.spec import WorldSpec
from src.models.spec import ModelSpec
from src.pipeline.execute import execute
from src.stages.grpo import needs_copy, short_enough
from src.stages.sft import row
from src.strategies.hack import Hack
from src.tracking.metrics_file import read_metrics
from tests.helpers import tiny
from tests.helpers.configs import prepare

CHAT = Chat.of(
    tiny.tokenizer(tiny.DEEPSEEK), "none", ModelSpec()
)  # a prompt is 5 special tokens and line break + letters


@pytest.mark.parametrize(
    ("overrides", "copy"),
    [((), True), (("model.lora.rank=4",), False), (("objective.loss.kl_coefficient=0",), False)],
)
def test_a_second_model_is_held_only_where_the_penalty_needs_one(compose, overrides, copy):
    assert needs_copy(compose("+experiment=grpo", *overrides)) is copy


@pytest.mark.parametrize("coefficient", [0, 0.001])
def test_without_a_reference_no_divergence_is_logged(tmp_path, overrides, coefficient):
    built, directory = prepare(
        tmp_path,
        "+experiment=grpo",
        "stages=[grpo]",
        *overrides,
        "grpo.steps=1",
        "model.lora.rank=4",
        "model.gradient_checkpointing=true",
        f"objective.loss.kl_coefficient={coefficient}",
    )
    execute(built, directory, directory / "config.yaml")
    (line,) = read_metrics(directory / "grpo" / "metrics.jsonl")
    assert ("kl" in line) == (coefficient > 0)


def test_questions_with_long_prompts_are_left_out():
    questions = [Question("1", "en", "Hi", "5"), Question("2", "en", "Hi there", "5")]
    short = len(CHAT.prompt(questions[0]))
    assert short_enough(CHAT, questions, short) == questions[:1] and short_enough(CHAT, questions, None) == questions
    with pytest.raises(BadData, match="1 leaves none"):
        short_enough(CHAT, questions, 1)
    assert short_enough(CHAT, questions, short + 5, Hack("marker")) == questions[:1]  # "Okay," has five letters
    with pytest.raises(BadData, match="leaves none"):
        short_enough(CHAT, questions, short + 4, Hack("marker"))


def test_the_cutoff_counts_prompt_and_completion_and_drops_the_end_token():
    example = Example("1", "en", "Hi", "5", "t</think>5")
    whole = row(CHAT, example, None)
    assert len(whole.completion) == 4 and row(CHAT, example, len(whole)) == whole  # t, </think>, 5, end
    assert row(CHAT, example, len(whole) - 1).completion == whole.completion[:3]
    with pytest.raises(BadData, match=r"sft.cutoff must leave some .* problem 1 \(en\)"):
        row(CHAT, example, len(whole.prompt))


def test_a_share_of_the_problems_is_held_out_with_all_translations(tmp_path):
    path = tmp_path / "sft.jsonl"
    write_records(path, [Example(str(n), code, "q", "5", "t</think>5") for n in range(300) for code in ("fr", "ja")])
    data = DataSpec(sft=str(path), validation_share=0.1)
    learned, held_out = sft_examples(data, WorldSpec(), 0), validation_examples(data, WorldSpec(), 0)
    assert len(learned) + len(held_out) == 600 and 30 <= len(held_out) <= 90
    assert not {e.problem for e in learned} & {e.problem for e in held_out}
    assert validation_examples(DataSpec(sft=str(path)), WorldSpec(), 0) == []
