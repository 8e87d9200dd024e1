"""Before the start, of models of many families: their files are read, their prompts rendered, their export is tried."""

import json

import pytest

from src.pipeline.preflight import export
from src.pipeline.preflight.look import Look
from tests.helpers import families
from tests.helpers.configs import compose

WRITTEN = [name for name in families.FAMILIES if name != "gemma3"]  # whose sizes stand in a part of its configuration


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Each family is written once."""
    written = {}

    def folder(family):
        if family not in written:
            written[family] = families.write(tmp_path_factory.mktemp("models") / family, family)
        return written[family]

    return folder


def look_at(folder, tmp_path, *overrides):
    config = compose("+experiment=grpo", f"model.path={folder}", "rollout=hf", *overrides)
    return Look(config, str(folder), tmp_path)


def attention(family):
    return f"model.attention={'eager' if family in families.EAGER else 'sdpa'}"


@pytest.mark.parametrize("family", WRITTEN)
def test_all_weights_of_any_family_pass(folder_of, tmp_path, family):
    look = look_at(folder_of(family), tmp_path, attention(family))
    look.check_model()
    look.check_export()
    assert look.problems == look.notes == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("family", [name for name in WRITTEN if name not in families.EXPERTS])
def test_adapters_pass(folder_of, tmp_path, family):
    look = look_at(folder_of(family), tmp_path, attention(family), "model.lora.rank=4")
    look.check_export()
    assert look.problems == []


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "gpt_neox", "qwen3_moe", "gpt_oss"])
def test_of_a_large_model_a_copy_is_tried_and_it_is_said(folder_of, tmp_path, monkeypatch, family):
    monkeypatch.setattr(export, "WHOLE", 0)
    monkeypatch.setattr(export, "LAYERS", 1)
    look = look_at(folder_of(family), tmp_path, attention(family))
    look.check_export()
    layers = 2 if family == "gpt_oss" else 1  # of which one looks at all, and one at a window
    assert look.problems == []
    assert look.notes == [f"saving was tried on a copy of the model with {layers} layers, for the whole of it is large"]


def test_what_cannot_be_saved_is_said_before_it_is_trained(folder_of, tmp_path, monkeypatch):
    from src.models import save

    monkeypatch.setattr(save, "check_export", refuse)
    look = look_at(folder_of("llama"), tmp_path, "model.lora.rank=4")
    look.check_export()
    (problem,) = look.problems
    assert problem == (
        f"what is trained of {folder_of('llama')} with model.lora.rank=4 could not be saved: it is another model. Train all "
        "weights (model.lora.rank=0), or take another model"
    )
    assert list(tmp_path.iterdir()) == []


def refuse(*_):
    from src.models.save import BadExport

    raise BadExport("folder: it is another model. The checkpoints are good")


@pytest.mark.parametrize("method", ["bitsandbytes", "gptq", "awq"])
def test_quantised_weights_are_refused(folder_of, tmp_path, method):
    folder = families.write(tmp_path / "model", "llama")
    change(folder / "config.json", quantization_config={"quant_method": method, "bits": 4, "load_in_4bit": True})
    look = look_at(folder, tmp_path)
    look.check_model()
    look.check_export()
    assert len(look.problems) == 1 and f"quantised ({method})" in look.problems[0]


def test_code_of_the_model_needs_a_word(tmp_path):
    folder = families.write(tmp_path / "model", "llama")
    change(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.Config"})
    look = look_at(folder, tmp_path)
    look.check_model()
    look.check_export()
    assert len(look.problems) == 1 and "model.trust_remote_code=true" in look.problems[0]


def test_a_tokenizer_that_is_larger_than_the_model_is_named_with_both_sizes(tmp_path):
    folder = families.write(tmp_path / "model", "llama", vocab_size=200)
    look = look_at(folder, tmp_path)
    look.check_model()
    (problem,) = look.problems
    assert "has 265 tokens, the model has 200 rows, and" in problem and "(token 200) has none" in problem


def test_a_pad_token_without_a_row_is_not_used(tmp_path):
    """As `[PAD]` that is added to the tokenizer of a Llama: rows are filled up with the end token."""
    folder = families.write(tmp_path / "model", "llama")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    tokenizer.save_pretrained(folder)
    look = look_at(folder, tmp_path)
    look.check_model()
    assert look.problems == [] and look.tokenizer.pad_token_id == 265


def test_a_folder_that_is_no_model_is_one_sentence(tmp_path):
    look = look_at(tmp_path / "none", tmp_path)
    look.check_model()
    look.check_export()
    assert len(look.problems) == 1 and str(tmp_path / "none") in look.problems[0]


def change(file, **values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))
