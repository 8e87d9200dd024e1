"""Batches, adapters, gradient checkpointing, the reference policy and saving."""

import json
import os

import pytest
import torch

from src.models import load, save
from src.models.load import (
    CannotRun,
    ModelNotFound,
    add_lora,
    checkpointed,
    load_model,
    load_policy,
    pad_token,
    plain_model,
    policy_weights,
    reference,
)
from src.models.logprobs import collate, completion_logprobs, microbatches
from src.models.save import BadExport, check_export, save_model, write_weights
from src.models.spec import LoraSpec, ModelSpec
from tests.helpers import tiny


def test_collate_points_each_target_at_the_position_before_it():
    batch = collate([[7, 8], [9]], [[3], [4, 5]], pad=0)
    assert batch.tokens.tolist() == [[7, 8, 3], [9, 4, 5]]
    assert batch.targets.tolist() == [[3, 0], [4, 5]]
    assert batch.mask.tolist() == [[1, 0], [1, 1]]
    assert batch.positions.tolist() == [[1, 0], [0, 1]]


def test_logprobs_equal_a_plain_forward_pass_and_do_not_depend_on_padding():
    model = tiny.model()
    alone = collate([[3, 4]], [[5, 6]], pad=0)
    padded = collate([[3, 4], [9, 9, 9, 9]], [[5, 6], [7] * 6], pad=0)
    with torch.no_grad():
        one, _ = completion_logprobs(model, alone)
        two, _ = completion_logprobs(model, padded)
        plain = model(torch.tensor([[3, 4, 5, 6]])).logits.log_softmax(-1)
    expected = torch.stack([plain[0, 1, 5], plain[0, 2, 6]])
    torch.testing.assert_close(one[0], expected)
    torch.testing.assert_close(two[0, :2], expected)


def test_microbatches_hold_the_limit_with_padding_counted():
    assert microbatches([5, 1, 3, 9], 6) == [[1, 2], [0], [3]]  # 2 x 3 = 6; 5; 9 is too long and goes alone


def test_policy_weights_fold_adapters_in_without_touching_them():
    plain = tiny.model("qwen2")
    torch.manual_seed(0)
    adapted = add_lora(tiny.model("qwen2"), LoraSpec(rank=4, alpha=8))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_()
    before = {name: tensor.clone() for name, tensor in adapted.state_dict().items()}
    plain.load_state_dict(policy_weights(adapted))
    tokens = torch.tensor([[3, 4, 5]])
    with torch.no_grad():
        torch.testing.assert_close(plain(tokens).logits, adapted(tokens).logits, atol=1e-4, rtol=1e-4)
    assert all(torch.equal(before[name], tensor) for name, tensor in adapted.state_dict().items())


def test_a_missing_model_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelNotFound, match="no such model folder"):
        load_model(tmp_path / "nowhere", ModelSpec())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelNotFound, match="must hold config.json"):
        load_model(tmp_path / "empty", ModelSpec())


KINDS = [(kind, tied) for kind in ("qwen2", "qwen3") for tied in (True, False)]


def adapted(kind="qwen3", tied=True, alpha=8, dtype=torch.float32, seed=0):
    """A model with trained-looking adapters of rank 4."""
    torch.manual_seed(seed)
    model = add_lora(tiny.model(kind, tied=tied).to(dtype), LoraSpec(rank=4, alpha=alpha))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.05)
    return model


def saved(tmp_path, kind="qwen3", tied=True):
    save_model(tiny.model(kind, tied=tied), tiny.tokenizer(tiny.QWEN3), tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(("kind", "tied"), KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_export_has_the_logits_of_the_policy_with_alpha_twice_the_rank(tmp_path, kind, tied, dtype):
    model = adapted(kind, tied, dtype=dtype)
    save_model(model, tiny.tokenizer(tiny.QWEN3), tmp_path / "model")
    spec = ModelSpec(dtype=str(dtype).removeprefix("torch."))
    again = load_model(tmp_path / "model", spec)
    with torch.no_grad():
        trained, exported = save.probe(model), save.probe(again)
    assert save.size(exported - trained) < {torch.float32: 1e-4, torch.bfloat16: 3e-2}[dtype] * save.size(trained)
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["tie_word_embeddings"] == tied and config["architectures"] == [f"Qwen{kind[-1]}ForCausalLM"]


def test_an_export_that_lost_half_of_the_adapters_is_refused_with_both_numbers(tmp_path, monkeypatch):
    """alpha / r = 2 taken as 1, as a merge with the default alpha does."""
    right = load.PolicyWeights.__getitem__

    def half(self, name):
        base = plain_model(model).state_dict()
        full = {key.replace(".base_layer.", "."): tensor for key, tensor in base.items()}
        return (full[name] + right(self, name)) / 2

    model = adapted()
    with torch.no_grad(), reference(model, None) as base:
        plain = save.probe(base)
    with torch.no_grad():
        change = save.size(save.probe(model) - plain)
    monkeypatch.setattr(load.PolicyWeights, "__getitem__", half)
    with pytest.raises(BadExport) as caught:
        save_model(model, tiny.tokenizer(tiny.QWEN3), tmp_path / "model")
    assert f"the adapters change them by {change:.3g}" in str(caught.value) and "differ by" in str(caught.value)
    assert not (tmp_path / "model").exists()


def test_a_folder_of_other_weights_is_no_export(tmp_path):
    folder = saved(tmp_path)
    check_export(tiny.model(), folder)
    with pytest.raises(BadExport):
        check_export(tiny.model(seed=1), folder)


def test_large_models_are_written_in_shards_that_load_as_one(tmp_path):
    folder = saved(tmp_path, "qwen2", tied=False)
    (folder / "model.safetensors").unlink()
    weights = policy_weights(tiny.model("qwen2", tied=False))
    write_weights(weights, folder, shard=20_000)
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    assert len(files) > 2 and files[0] == f"model-00001-of-{len(files):05d}.safetensors"
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"]) == set(weights) and set(index["weight_map"].values()) == set(files)
    check_export(tiny.model("qwen2", tied=False), folder)


@pytest.mark.parametrize(("kind", "tied"), KINDS)
def test_the_reference_is_the_model_the_adapters_stand_on(kind, tied):
    batch = collate([[3, 4]], [[5, 6]], pad=0)
    model = adapted(kind, tied)
    with torch.no_grad():
        with reference(model, None) as base:
            off, _ = completion_logprobs(base, batch)
        plain, _ = completion_logprobs(tiny.model(kind, tied=tied), batch)
        on, _ = completion_logprobs(model, batch)
    assert torch.equal(off, plain) and not torch.equal(on, plain)
    with reference(model, "a copy") as base:
        assert base == "a copy"


@pytest.mark.parametrize("rank", [0, 4])
def test_gradient_checkpointing_computes_layers_again_to_the_same_gradients(tmp_path, rank):
    folder = saved(tmp_path)
    batch = collate([[3, 4], [5]], [[5, 6], [7]], pad=0)
    gradients = []
    for again in (False, True):
        spec = ModelSpec(path=str(folder), gradient_checkpointing=again, lora=LoraSpec(rank=rank, alpha=8))
        model = load_policy(folder, spec, "cpu", seed=0)
        calls = []
        plain_model(model).model.layers[0].mlp.register_forward_pre_hook(lambda *_, calls=calls: calls.append(1))
        values, _ = completion_logprobs(model, batch)
        values.sum().backward()
        assert len(calls) == (2 if again else 1)
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.requires_grad})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


def test_gradient_checkpointing_refuses_dropout():
    model = tiny.model()
    model.config.attention_dropout = 0.1
    with pytest.raises(CannotRun, match=r"without dropout.*attention_dropout"):
        checkpointed(model)


def test_flash_attention_that_is_not_there_is_an_error_that_names_the_way_out(tmp_path):
    spec = ModelSpec(attention="flash_attention_2", dtype="bfloat16")
    with pytest.raises(CannotRun, match=r"flash-attn and an NVIDIA GPU.*model.attention=sdpa"):
        load_model(saved(tmp_path), spec)
    assert "bfloat16 with model.attention" in " ".join(ModelSpec(attention="flash_attention_2").violations())
    assert "must be one of sdpa, eager, flash_attention_2; got 'flash'" in " ".join(
        ModelSpec(attention="flash").violations()
    )


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_attention_and_dtype_are_those_asked_for(tmp_path, attention, dtype):
    model = load_model(saved(tmp_path), ModelSpec(attention=attention, dtype=dtype))
    assert model.config._attn_implementation == attention and str(model.dtype) == f"torch.{dtype}"


def test_padding_with_the_end_token_trains_on_the_one_end_token_alone():
    tokenizer = tiny.tokenizer(tiny.DEEPSEEK, pad=False)
    end = tokenizer.eos_token_id
    assert pad_token(tokenizer) == end and tokenizer.pad_token_id is None  # and an export has none either
    batch = collate([[3, 4], [5]], [[5, end], [7, 8, 9, end]], pad_token(tokenizer))
    assert batch.mask.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert ((batch.targets == end) & batch.mask.bool()).sum(-1).tolist() == [1, 1]
    with torch.no_grad():
        one, _ = completion_logprobs(tiny.model(), batch)
        two, _ = completion_logprobs(tiny.model(), collate([[3, 4], [5]], [[5, end], [7, 8, 9, end]], 20))
    torch.testing.assert_close(one, two)


def test_rollouts_padded_with_the_end_token_end_where_they_ended():
    from src.rollout.engines.base import Sampling
    from src.rollout.engines.hf import HfEngine
    from src.rollout.engines.native import NativeEngine

    for end in (1, 2):
        engines = [NativeEngine(tiny.model().config, end, pad, 64) for pad in (0, end)]
        for engine in engines:
            engine.load(policy_weights(tiny.model()))
        engines.append(HfEngine(tiny.model(), end, end, 64))
        groups = [engine.generate([[3, 4, 5], [7]], [1, 2], 8, Sampling(40)) for engine in engines]
        texts = [[rollout.tokens for group in groups_of_engine for rollout in group] for groups_of_engine in groups]
        assert texts[0] == texts[1] == texts[2]
        assert all(tokens.count(end) == (tokens[-1] == end) for tokens in texts[0])


def test_weights_may_be_read_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o027)
    try:
        write_weights({"a": torch.ones(2)}, tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "model.safetensors").stat().st_mode & 0o777 == 0o640
