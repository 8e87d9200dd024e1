"""What the native decoder builds is what transformers computes, and what it does not build it refuses by name."""

import pytest
import torch

from src.models.architecture import unbuilt
from src.models.context import context_of
from src.models.logprobs import collate, completion_logprobs
from src.rollout.engines.base import Sampling
from src.rollout.engines.build import build_engine
from src.rollout.engines.native import NativeEngine, UnsupportedArchitecture
from src.rollout.generate import EngineUnderLimit, Prompt, TooLong
from src.rollout.spec import RolloutSpec
from tests.helpers import families, tiny

PROMPTS = [[9, 20, 30], [40, 50, 60, 70, 80, 90]]


def config(family, **more):
    return families.model(family, **more).config.to_dict()


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"tie_word_embeddings": True},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}},
        {"head_dim": 16},
    ],
)
def test_it_decodes_what_it_says_it_builds(family, more):
    model = families.model(family, **more)
    assert unbuilt(model.config.to_dict()) is None
    engine = NativeEngine(model.config, 0, 8, 8)
    engine.load(model.state_dict())
    groups = engine.generate(PROMPTS, [1, 2], 3, Sampling(12, temperature=0.8))
    rows = [(prompt, row) for prompt, group in zip(PROMPTS, groups, strict=True) for row in group]
    batch = collate([prompt for prompt, _ in rows], [row.tokens for _, row in rows], 8)
    with torch.no_grad():
        known, _ = completion_logprobs(model, batch, 0.8, "none")
    for number, (_, row) in enumerate(rows):
        torch.testing.assert_close(row.logprobs, known[number, : len(row.tokens)], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", [name for name in families.FAMILIES if name not in ("llama", "qwen2", "qwen3")])
def test_every_other_family_is_refused(family):
    assert f"this model is {families.FAMILIES[family][0]!r}" in str(unbuilt(config(family)))


@pytest.mark.parametrize(
    ("family", "more", "named"),
    [
        ("llama", {"attention_bias": True}, "attention_bias=true"),
        ("llama", {"mlp_bias": True}, "mlp_bias"),
        ("llama", {"hidden_act": "gelu"}, "hidden_act='gelu'"),
        ("qwen2", {"hidden_act": "relu"}, "hidden_act='relu'"),
        ("qwen3", {"attention_bias": True}, "attention_bias=true"),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}, "a window of 8 tokens"),
        ("qwen3", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 0}, "a window of 8 tokens"),
        ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, "'linear'"),
    ],
)
def test_settings_that_are_not_built_are_named(family, more, named):
    made = families.model(family, **more)
    assert named in str(unbuilt(made.config.to_dict()))
    with pytest.raises(UnsupportedArchitecture, match="Use rollout=hf"):
        NativeEngine(made.config, 0, 8, 8)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "'dynamic'"),
        ({"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}, "a window of 16"),
        ({"use_sliding_window": False, "sliding_window": 16, "max_window_layers": 0}, None),
        ({"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 2}, None),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor=0.5"),
    ],
)
def test_files_of_earlier_versions_are_read_too(written, named):
    reason = unbuilt({"model_type": "qwen2", "num_hidden_layers": 2, **written})
    assert reason is None if named is None else named in str(reason)


@pytest.mark.parametrize(("change", "named"), [("more", "q_norm"), ("fewer", "up_proj")])
def test_weights_that_do_not_fit_are_named(change, named):
    model = families.model("llama")
    weights = model.state_dict()
    if change == "more":
        weights["model.layers.0.self_attn.other_q_norm.weight"] = torch.ones(8)
    else:
        del weights["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(UnsupportedArchitecture, match=named):
        NativeEngine(model.config, 0, 8, 8).load(weights)


@pytest.mark.parametrize("family", ["qwen3", "opt"])
@pytest.mark.parametrize("engine", ["native", "hf"])
def test_what_does_not_fit_into_the_positions_is_refused(family, engine):
    if engine == "native" and family == "opt":
        return
    model = families.model(family, max_position_embeddings=20)
    spec = RolloutSpec(engine=engine, maximum_new_tokens=16)
    generate = EngineUnderLimit(build_engine(spec, model, tiny.tokenizer(tiny.QWEN3)), spec, 0, "a test", "wait")
    assert len(generate([Prompt([9, 10, 11, 12], 1)], 1)) == 1
    with pytest.raises(TooLong, match="5 tokens and rollout.maximum_new_tokens=16 must fit into the 20 positions"):
        generate([Prompt([9, 10, 11, 12, 13], 1)], 1)


def test_stretched_rotations_have_room_for_more():
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 100, "rope_theta": 1e4}
    assert context_of(families.model("llama", max_position_embeddings=100, rope_parameters=yarn).config) == 400
    assert context_of(families.model("opt").config) == 512
    assert context_of(object()) is None
