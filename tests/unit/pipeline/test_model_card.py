"""The card of a model: its front matter, what it says, and that it changes nothing that identifies the model."""

import hashlib
from dataclasses import replace

import pytest
import yaml

from src.models.fingerprint import fingerprint
from src.models.load import load_model, load_tokenizer
from src.pipeline.model_card import Card, card_of, card_text, short_paths, write_model_card
from src.pipeline.stage import Planned
from src.store.seen import note_seen
from src.store.whole import sums_of_stage

CARD = Card("grpo, seed 3", ["Qwen/Qwen3-4B"], False, ["grpo"], {"seed": "3"}, [], [], {"sft": {"te": 2}}, "")


def matter_of(text):
    return yaml.safe_load(text.split("---\n")[1])


def trained(tmp_path, name="grpo"):
    planned = Planned(name, tmp_path / "run" / name, "one", {}, "")
    planned.result.mkdir(parents=True)
    note_seen(planned.result, name, "", ["sw", "fr", "sw"])
    return planned


def test_the_front_matter_names_the_base_of_the_hub_and_the_languages():
    assert matter_of(card_text(CARD)) == {
        "base_model": "Qwen/Qwen3-4B",
        "base_model_relation": "finetune",
        "language": ["te"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["grpo"],
    }
    merged = matter_of(card_text(replace(CARD, bases=["a/b", "/data/c", "d/e"], merged=True)))
    assert merged["base_model"] == ["a/b", "d/e"] and merged["base_model_relation"] == "merge"


def test_what_is_unknown_is_left_out(tmp_path):
    text = card_text(replace(CARD, bases=[str(tmp_path)], seen=None))
    assert not {"base_model", "language", "license"} & matter_of(text).keys()
    assert "Unknown." in text and "## Command" not in text and "## Citation" not in text


def test_norwegian_is_a_language_and_no_truth_value():
    assert matter_of(card_text(replace(CARD, seen={"sft": {"no": 1}})))["language"] == ["no"]


def test_a_card_tells_the_recipe_and_no_folder_of_the_machine(tmp_path, compose):
    planned = trained(tmp_path)
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("{}\n")
    config = compose("+experiment=grpo", f"data.prompts={prompts}", f"model.path={tmp_path}", "seed=7")
    (tmp_path / "run" / "overrides.txt").write_text(f"+experiment=grpo\ndata.prompts={prompts}\nseed=7\n")
    write_model_card(config, planned, tmp_path / "run")
    text = (planned.result / "README.md").read_text()
    assert "python -m src.run \\\n    +experiment=grpo \\\n    data.prompts=prompts.jsonl \\\n    seed=7\n" in text
    assert hashlib.sha256(b"{}\n").hexdigest() in text
    assert "| method | `grpo` |" in text and "| seed | `7` |" in text and "| sw | 2 |" in text
    assert "cff-version" in text and str(tmp_path) not in text
    write_model_card(config, planned, tmp_path / "run")
    assert (planned.result / "README.md").read_text() == text


def test_a_stage_that_methods_share_names_none_of_them(tmp_path, compose):
    card = card_of(compose("+experiment=adamame_grpo"), trained(tmp_path, "sft"), tmp_path)
    assert card.title == "sft, seed 0" and card.tags == ["sft"] and "method" not in card.recipe


def test_a_card_changes_neither_identity_nor_loading(tmp_path, compose, random_model):
    import shutil

    planned = Planned("grpo", tmp_path / "grpo", "one", {}, "")
    shutil.copytree(random_model, planned.result)
    before = fingerprint(planned.result), sums_of_stage(planned.directory)
    config = compose("+experiment=grpo")
    write_model_card(config, planned, tmp_path)
    assert (planned.result / "README.md").is_file()
    assert (fingerprint(planned.result), sums_of_stage(planned.directory)) == before
    load_tokenizer(str(planned.result), config.model)
    load_model(str(planned.result), config.model)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("merge.models=[/data/a,/data/b c]", "merge.models=[a,b c]"),
        ("data.prompts='/home/ann/x=1/p.jsonl'", "data.prompts='p.jsonl'"),
        ("prompts.sources={mgsm:/data/mgsm}", "prompts.sources={mgsm:mgsm}"),
        ("data.sft=hub:owner/name@abc/train", "data.sft=hub:owner/name@abc/train"),
        ("root=~/runs", "root=runs"),
        ("data.sft=my/sft.jsonl", "data.sft=my/sft.jsonl"),
    ],
)
def test_absolute_paths_are_shortened_to_their_names(override, expected):
    assert short_paths(override) == expected
