"""Exports of many families: the names of the file that was loaded, adapters folded in, judged in float32, read by others."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from src.models import load, save
from src.models.load import add_lora, load_model, load_policy, load_tokenizer, plain_model, policy_weights
from src.models.names import in_files
from src.models.save import BadExport, check_export, save_model
from src.models.spec import LoraSpec, ModelSpec
from tests.helpers import families, tiny


def spec_of(family, rank=0, dtype="float32"):
    attention = "eager" if family in families.EAGER else "sdpa"
    return ModelSpec(dtype=dtype, attention=attention, lora=LoraSpec(rank=rank, alpha=2 * rank))


def names(folder: Path) -> set[str]:
    kept: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as handle:
            kept |= set(handle.keys())
    return kept


def with_adapters(model, size=0.1):
    """`model` with adapters that look trained."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(size * torch.randn(parameter.shape, generator=generator))
    return model


@pytest.mark.parametrize("family", families.FAMILIES)
@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_family_is_exported_under_the_names_it_was_loaded_with(tmp_path, family, rank, dtype):
    source = families.write(tmp_path / "source", family)
    spec = spec_of(family, rank, dtype)
    policy = with_adapters(load_policy(source, spec, "cpu", seed=0))
    save_model(policy, load_tokenizer(source, spec), tmp_path / "model")
    assert names(tmp_path / "model") == names(source)
    again = load_model(tmp_path / "model", spec)
    with torch.no_grad():
        expected, actual = save.probe(policy), save.probe(again)
        if dtype == "float32":
            assert save.size(actual - expected) < 1e-5 * save.size(expected)
        assert save.size(save.probe(load_model(source, spec)) - actual) > 0.05 * save.size(expected) or not rank


@pytest.mark.parametrize("family", families.EXPERTS)
def test_experts_have_the_names_of_files_a_layer_at_a_time(tmp_path, family):
    """And are the tensors that transformers writes."""
    source = families.write(tmp_path / "source", family)
    model = load_model(source, spec_of(family))
    written = dict(in_files(model, policy_weights(model)))
    assert written.keys() == names(source)
    for file in source.glob("*.safetensors"):
        with safe_open(file, "pt") as handle:
            for name in names(source):
                assert torch.equal(written[name], handle.get_tensor(name)), name


def test_a_merge_that_loses_half_of_the_experts_adapters_is_refused(tmp_path, monkeypatch):
    source = families.write(tmp_path / "source", "qwen3_moe")
    spec = spec_of("qwen3_moe", 2)
    policy = with_adapters(load_policy(source, spec, "cpu", seed=0))
    right = load.PolicyWeights.__getitem__
    base = plain_model(policy)

    def half(self, name):
        full = {load.plain_name(key): tensor for key, tensor in base.state_dict().items()}
        return (full[name] + right(self, name)) / 2

    monkeypatch.setattr(load.PolicyWeights, "__getitem__", half)
    with pytest.raises(BadExport, match=r"of which [3-7]\d% is missing"):
        save_model(policy, load_tokenizer(source, spec), tmp_path / "model")


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("size", [0.003, 0.1])
def test_a_deep_model_in_bfloat16_is_accepted_as_it_is_and_refused_where_half_is_lost(
    tmp_path, monkeypatch, share, size
):
    """30 layers amplify rounding: in bfloat16 the policy is far from itself, and not from its export in float32."""
    model = families.model("llama", num_hidden_layers=30).to(torch.bfloat16)
    model = with_adapters(add_lora(model, LoraSpec(rank=8, alpha=16)), size)
    right = load.PolicyWeights.__getitem__

    def partly(self, name):
        merged = right(self, name)
        return (merged.float() + share * (self.held[name][1].detach().float() - merged.float())).to(merged.dtype)

    monkeypatch.setattr(load.PolicyWeights, "__getitem__", partly)
    if share:
        with pytest.raises(BadExport):
            save_model(model, tiny.tokenizer(tiny.QWEN3), tmp_path / "model")
    else:
        save_model(model, tiny.tokenizer(tiny.QWEN3), tmp_path / "model")


def test_without_room_for_float32_exports_are_judged_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr("src.models.precision._free", lambda device: 0.0)
    model = with_adapters(add_lora(families.model("llama").to(torch.bfloat16), LoraSpec(rank=4, alpha=8)))
    save_model(model, tiny.tokenizer(tiny.QWEN3), tmp_path / "model")
    with pytest.raises(BadExport):
        check_export(families.model("llama", seed=1).to(torch.bfloat16), tmp_path / "model")


def test_an_export_with_other_names_is_refused(tmp_path):
    model = families.model("qwen3_moe")
    save_model(model, tiny.tokenizer(tiny.QWEN3), tmp_path / "model")
    weights = {name: value.contiguous() for name, value in policy_weights(model).items()}
    del weights["model.layers.1.mlp.gate.weight"]
    save.write_weights(weights, tmp_path / "model")
    with pytest.raises(BadExport, match=r"1 are missing \(model.layers.1.mlp.gate.weight\)"):
        check_export(model, tmp_path / "model")


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"do_sample": False, "temperature": 0.9, "top_p": 0.6}, {"temperature": 0.9, "top_p": 0.6}),
        ({"eos_token_id": [4, 5]}, {"eos_token_id": [0, 4, 5]}),
        ({"eos_token_id": 4}, {"eos_token_id": [0, 4]}),
        ({"max_length": 4096, "repetition_penalty": 1.1}, {"max_length": 4096, "repetition_penalty": 1.1}),
    ],
)
def test_settings_of_generation_are_written_as_they_were_with_every_end_token(tmp_path, settings, kept):
    """Those that transformers itself refuses to write, too."""
    source = families.write(tmp_path / "source", "llama")
    file = source / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    spec = spec_of("llama")
    save_model(load_policy(source, spec, "cpu", 0), load_tokenizer(source, spec), tmp_path / "model")
    written = json.loads((tmp_path / "model" / "generation_config.json").read_text())
    assert kept.items() <= written.items()
    load_model(tmp_path / "model", spec)


def test_a_model_without_settings_of_generation_gets_its_end_tokens(tmp_path):
    source = families.write(tmp_path / "source", "llama")
    (source / "generation_config.json").unlink()
    spec = spec_of("llama")
    policy = load_policy(source, spec, "cpu", 0)
    policy.generation_config = None
    save_model(policy, load_tokenizer(source, spec), tmp_path / "model")
    assert json.loads((tmp_path / "model" / "generation_config.json").read_text()) == {"eos_token_id": 0}


YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 5e5, "original_max_position_embeddings": 128}


@pytest.mark.parametrize(
    ("family", "parameters", "expected"),
    [
        ("qwen3", {"rope_type": "default", "rope_theta": 1e6}, {"rope_theta": 1e6, "rope_scaling": None}),
        (
            "llama",
            YARN,
            {"rope_theta": 5e5, "rope_scaling": {k: v for k, v in YARN.items() if k != "rope_theta"}},
        ),
        (
            "gpt_neox",
            {"rope_type": "default", "rope_theta": 2e4, "partial_rotary_factor": 0.5},
            {"rotary_emb_base": 2e4, "rotary_pct": 0.5},
        ),
        (
            "gemma3_text",
            {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 2e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 5e3},
            },
            {
                "rope_theta": 2e6,
                "rope_local_base_freq": 5e3,
                "rope_scaling": {"rope_type": "linear", "factor": 8.0},
            },
        ),
    ],
)
def test_positions_are_written_in_the_words_of_transformers_4_too(tmp_path, family, parameters, expected):
    source = families.write(tmp_path / "source", family, rope_parameters=parameters)
    spec = spec_of(family)
    policy = load_policy(source, spec, "cpu", 0)
    save_model(policy, load_tokenizer(source, spec), tmp_path / "model")
    written = json.loads((tmp_path / "model" / "config.json").read_text())
    assert {key: written[key] for key in expected} == expected
    assert load_model(tmp_path / "model", spec).config.rope_parameters == policy.config.rope_parameters


def test_the_tokenizer_has_a_name_that_transformers_4_knows(tmp_path):
    tokenizer = tiny.tokenizer(tiny.QWEN3)
    save_model(families.model("llama"), tokenizer, tmp_path / "model")
    written = json.loads((tmp_path / "model" / "tokenizer_config.json").read_text())
    assert written["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert "<think>" in written["additional_special_tokens"] and "extra_special_tokens" not in written
    again = load_tokenizer(tmp_path / "model", ModelSpec())
    text = "<|im_start|>user\nDéjà vu<think>"
    assert again(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert again.all_special_ids == tokenizer.all_special_ids and again.chat_template == tokenizer.chat_template
