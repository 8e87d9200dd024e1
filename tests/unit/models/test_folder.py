"""What is said, in a sentence with our settings, of models that cannot be loaded, trained or exported."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from src.common.errors import UserError
from src.models.load import CannotRun, ModelNotFound, add_lora, load_model, load_policy, load_tokenizer
from src.models.save import save_model
from src.models.spec import LoraSpec, ModelSpec
from src.rollout.engines.base import Sampling
from src.rollout.engines.build import build_engine
from src.rollout.spec import RolloutSpec
from tests.helpers import families, tiny


def edit(file, **settings):
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def change_weights(folder, change):
    file = folder / "model.safetensors"
    weights = load_file(file)
    change(weights)
    save_file(weights, file, metadata={"format": "pt"})


@pytest.fixture
def folder(tmp_path):
    return families.write(tmp_path / "model", "qwen2")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, r"quantised \(bitsandbytes\)"),
        ({"quant_method": "gptq", "bits": 4}, r"quantised \(gptq\)"),
        ({"quant_method": "awq", "bits": 4}, r"quantised \(awq\)"),
        ({"bits": 2}, "quantised"),
    ],
)
def test_quantised_weights_are_refused_before_they_are_loaded(folder, settings, words):
    edit(folder / "config.json", quantization_config=settings)
    with pytest.raises(CannotRun, match=f"{words}.*Give model.path the model that it was made from"):
        load_model(folder, ModelSpec())


def test_an_adapter_is_no_model_and_none_is_mixed_into_one(folder, tmp_path):
    edit_to = folder / "adapter_config.json"
    edit_to.write_text("{}")
    with pytest.raises(ModelNotFound, match="beside config.json"):
        load_model(folder, ModelSpec())
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.move(edit_to, alone / "adapter_config.json")
    with pytest.raises(ModelNotFound, match=r"a LoRA adapter and no model.*\+experiment=merge"):
        load_model(alone, ModelSpec())
    load_model(folder, ModelSpec())


def test_pickled_weights_are_not_read_and_the_conversion_is_named(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound, match=r"it has pytorch_model.bin, .* Convert it once: python -c"):
        load_model(folder, ModelSpec())
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ModelNotFound, match="it holds none"):
        load_model(folder, ModelSpec())


def test_an_unknown_architecture_and_one_with_code_of_its_own(folder):
    edit(folder / "config.json", model_type="unheard_of")
    with pytest.raises(CannotRun, match="knows no architecture 'unheard_of'"):
        load_model(folder, ModelSpec())
    edit(folder / "config.json", auto_map={"AutoConfig": "configuration_own.Own"})
    with pytest.raises(CannotRun, match="model.trust_remote_code=true"):
        load_model(folder, ModelSpec())


@pytest.mark.parametrize("text", ["[1]", "{not json"])
def test_a_damaged_configuration_is_named(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelNotFound, match="config.json: must"):
        load_model(folder, ModelSpec())


def test_a_cut_off_file_is_a_sentence(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(ModelNotFound, match="its weights are damaged"):
        load_model(folder, ModelSpec())


def test_attention_that_an_architecture_does_not_have_is_named(tmp_path):
    source = families.write(tmp_path / "oss", "gpt_oss")
    with pytest.raises(UserError, match="another model.attention, such as eager"):
        load_model(source, ModelSpec())
    load_model(source, ModelSpec(attention="eager"))


def test_an_architecture_without_adapters_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise ValueError("target module out_proj is not supported for Mamba\nmore")

    monkeypatch.setattr("peft.get_peft_model", refuse)
    with pytest.raises(CannotRun, match=r"model.lora.rank=4 .* of qwen3 it says: target module .*model.lora.rank=0"):
        add_lora(tiny.model(), LoraSpec(rank=4))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["model.layers.1.mlp.up_proj.weight", "model.norm.weight"])
def test_weights_that_are_no_numbers_are_named(folder, value, name):
    def damage(weights):
        weights[name].view(-1)[3] = value

    change_weights(folder, damage)
    with pytest.raises(ModelNotFound, match=f"{name} holds NaN or infinity"):
        load_model(folder, ModelSpec())


def test_weights_that_the_architecture_lacks_or_needs_are_named(folder):
    change_weights(folder, lambda weights: weights.pop("model.layers.1.mlp.up_proj.weight"))
    with pytest.raises(ModelNotFound, match=r"1 are missing \(model.layers.1.mlp.up_proj.weight\)"):
        load_model(folder, ModelSpec())


def test_another_architecture_is_no_model_of_this_one(tmp_path):
    """Qwen3 has norms in its attention, and no biases."""
    source = families.write(tmp_path / "model", "qwen3")
    edit(source / "config.json", model_type="llama", architectures=["LlamaForCausalLM"])
    with pytest.raises(ModelNotFound, match=r"4 are not used .*k_norm"):
        load_model(source, ModelSpec())


def test_parts_that_the_architecture_does_not_have_are_no_misfit(folder):
    """A tower that sees, a layer that predicts further tokens, tables that are made anew."""

    def add(weights):
        weights["model.vision_tower.encoder.layers.0.weight"] = torch.ones(2)
        weights["model.layers.2.eh_proj.weight"] = torch.ones(2)
        weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)

    change_weights(folder, add)
    load_model(folder, ModelSpec())


OWN = """
from transformers import Qwen2Config, Qwen2ForCausalLM

class OwnConfig(Qwen2Config):
    model_type = "own_qwen"

class OwnForCausalLM(Qwen2ForCausalLM):
    config_class = OwnConfig

    def forward(self, *arguments, **settings):
        output = super().forward(*arguments, **settings)
        output.logits = output.logits * 0.5
        return output
"""


def test_a_model_with_code_of_its_own_is_trained_sampled_exported_and_loaded(folder, tmp_path):
    (folder / "modeling_own.py").write_text(OWN)
    maps = {"AutoConfig": "modeling_own.OwnConfig", "AutoModelForCausalLM": "modeling_own.OwnForCausalLM"}
    edit(folder / "config.json", model_type="own_qwen", auto_map=maps)
    with pytest.raises(UserError, match="model.trust_remote_code=true"):
        load_model(folder, ModelSpec())
    spec = ModelSpec(trust_remote_code=True)
    policy = load_policy(folder, spec, "cpu", 0)
    tokenizer = load_tokenizer(folder, spec)
    save_model(policy, tokenizer, tmp_path / "export")
    again = load_model(tmp_path / "export", spec)
    tokens = torch.tensor([[9, 10, 11]])
    with torch.no_grad():
        assert torch.equal(again(tokens).logits, policy(tokens).logits)
    engine = build_engine(RolloutSpec(engine="hf"), policy, tokenizer)
    ((row,),) = engine.generate([[9, 10, 11]], [1], 1, Sampling(3))
    with torch.no_grad():
        expected = policy(tokens).logits[0, -1].log_softmax(-1)[row.tokens[0]]
    torch.testing.assert_close(row.logprobs[0], expected)
