"""A stage depends on what its prompts say: on the text of the chat template, and on a date only where one is written."""

import json

import pytest

from src.models.spec import ModelSpec
from src.pipeline.plan import plan
from src.pipeline.prompting import prompt_inputs
from tests.helpers import templates, tiny


@pytest.mark.parametrize("file", ["chat_template.jinja", "tokenizer_config.json"])
def test_another_template_in_the_folder_is_another_input(tmp_path, file):
    def inputs(text):
        (tmp_path / file).write_text(json.dumps({"chat_template": text}) if file.endswith(".json") else text)
        return prompt_inputs(ModelSpec(), str(tmp_path))

    assert inputs(tiny.QWEN3) == inputs(tiny.QWEN3) != inputs(tiny.QWEN2)
    assert "date" not in inputs(tiny.QWEN3)
    assert inputs(templates.DATED)["date"] == "2024-07-26"
    assert prompt_inputs(ModelSpec(date="2025-01-01"), str(tmp_path))["date"] == "2025-01-01"


def test_a_template_that_is_given_counts_by_content_and_not_by_its_place(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(tiny.QWEN3)
    one, two = (ModelSpec(chat_template=str(tmp_path / name)) for name in "ab")
    assert prompt_inputs(one, "") == prompt_inputs(two, "anywhere") and one.identity() == two.identity()
    (tmp_path / "b").write_text(tiny.QWEN2)
    assert prompt_inputs(one, "") != prompt_inputs(two, "")


def test_nothing_is_known_of_a_hub_name_or_a_model_to_be_made():
    assert prompt_inputs(ModelSpec(), "") == prompt_inputs(ModelSpec(), "owner/name") == {"template": None}


def test_every_stage_that_renders_prompts_depends_on_the_template(tmp_path, compose, random_model):
    config = compose("+experiment=grpo", "scale=tiny", f"model.path={random_model}", "pretrain.from_scratch=false")
    stages = {stage.name: stage.inputs for stage in plan(config, tmp_path)}
    expected = prompt_inputs(ModelSpec(), str(random_model))
    assert expected["template"] is not None
    assert {name: inputs.get("prompt") for name, inputs in stages.items()} == {
        **dict.fromkeys(("sft", "grpo", "evaluate"), expected),
        "report": None,
    }
