"""The estimate of memory: parameters exactly, and tensors of a small model as measured."""

import dataclasses

import pytest
import torch

from src.models import logprobs, vocabulary
from src.models.load import add_lora, checkpointed, policy_weights
from src.models.logprobs import collate, completion_logprobs
from src.models.memory import KNOWN, Item, Shape, Work, items, total
from src.models.spec import LoraSpec
from tests.helpers import tiny
from tests.helpers.allocations import Allocations

WITHIN = 0.15


def model(kind, tied, dtype=torch.float32):
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

    config, build = {"qwen3": (Qwen3Config, Qwen3ForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}[kind]
    sizes = config(
        vocab_size=600,
        hidden_size=96,
        intermediate_size=288,
        num_hidden_layers=5,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=16,
        tie_word_embeddings=tied,
        max_position_embeddings=512,
    )
    return build(sizes).eval().to(dtype)


def shape(made):
    return Shape.of(made.config.to_dict())


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [True, False])
def test_parameters_and_adapters_are_counted_exactly(kind, tied):
    for made in (model(kind, tied), tiny.model(kind, tied=tied)):
        assert shape(made).parameters == sum(p.numel() for p in made.parameters())
        adapted = add_lora(made, LoraSpec(rank=8))
        trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
        assert shape(adapted).adapters(8) == trained


def test_published_models_have_their_published_sizes():
    billions = {name: round(Shape.of(sizes).parameters / 1e9, 2) for name, sizes in KNOWN.items()}
    assert list(billions.values()) == [1.78, 7.62, 32.76, 4.02]


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rank", [0, 8])
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_an_update_holds_what_the_formulas_say(monkeypatch, kind, dtype, rank, again, whole):
    """The second micro-batch of an update: gradients are there, and activations come on top."""
    rows, prompt, response = 4, 32, 96
    monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", 10**9 if whole else 0)
    for name in ("TOKENS_AT_ONCE", "WORDS_AT_ONCE"):
        monkeypatch.setattr(vocabulary, name, 128)
    made = add_lora(model(kind, False, dtype), LoraSpec(rank=rank, alpha=16))
    sizes = shape(made)
    if again:
        checkpointed(made)
    batch = collate([[1] * prompt] * rows, [[2] * response] * rows, 0)
    completion_logprobs(made, batch)[0].sum().backward()
    gradients = sum(p.grad.nbytes for p in made.parameters() if p.grad is not None)
    with Allocations() as seen:
        completion_logprobs(made, batch)[0].sum().backward()
    work = Work(
        width=dtype.itemsize,
        rank=rank,
        checkpointing=again,
        tokens=rows * (prompt + response),
        targets=rows * response,
        whole_logits=10**9 if whole else 0,
        chunk=128 * 128,
    )
    estimate = total([item for item in items(sizes, work) if item.held != "always"])
    assert abs(estimate / (seen.peak + gradients) - 1) < WITHIN


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("rank", [0, 8])
def test_a_rollout_holds_what_the_formulas_say(kind, rank):
    from src.rollout.engines.base import Sampling
    from src.rollout.engines.native import NativeEngine

    made = add_lora(model(kind, True), LoraSpec(rank=rank, alpha=16))
    sizes, completions, prompt, response = shape(made), 8, 40, 60
    with Allocations() as seen:
        engine = NativeEngine(sizes_of(made), -1, 0, 64)
        engine.load(policy_weights(made))
        held = seen.now
        engine.generate([[3] * prompt] * 4, [1, 2, 3, 4], completions, Sampling(response))
    work = Work(rank=rank, rows=4 * completions, prompt=prompt, response=response)
    sizes_by_name = {item.name: item.size for item in items(sizes, work)}
    assert abs(sizes_by_name["sampler's own weights"] / held - 1) < WITHIN
    estimate = sum(sizes_by_name[name] for name in ("sampler's own weights", "KV cache", "tokens being drawn"))
    assert abs(estimate / seen.peak - 1) < WITHIN


def sizes_of(made):
    from src.models.load import plain_model

    return plain_model(made).config


def test_what_ranks_split():
    """P = 100 bfloat16 weights on 4 ranks: weights 200 bytes, float32 copies 400, moments 800, gradients 400 (twice, to be
    summed, without ZeRO, where all but weights are of their width)."""
    sizes = dataclasses.replace(Shape.of(KNOWN["Qwen/Qwen3-4B"]), layers=0, vocabulary=50, hidden=2, tied=True)
    assert sizes.parameters == 102  # and a norm of 2

    def held(zero, **more):
        sizes_by_name = {
            i.name.split(" (")[0]: i.size for i in items(sizes, Work(width=2, tokens=1, ranks=4, zero=zero, **more))
        }
        names = ("weights", "weights that are updated, in float32", "optimiser state", "gradients")
        return [sizes_by_name.get(name, 0) for name in names]

    assert held(0) == [204, 0, 408, 408]
    assert held(1) == [204, 102, 204, 408]
    assert held(2) == [204, 102, 204, 102]
    assert held(3) == [51, 102, 204, 102]
    assert held(3, offload=True) == [51, 0, 0, 102]


def test_moments_take_turns():
    held = [Item("w", 10, "always", ""), Item("k", 7, "rollout", ""), Item("g", 3, "update", "")]
    assert total(held) == 17
    assert total([*held, Item("l", 5, "layer", ""), Item("p", 4, "projection", "")]) == 18  # 10 + 3 + 5


def test_the_reference_and_the_optimiser_follow_the_settings():
    """Of 100 parameters: full training holds two moments of all and a reference of all; adapters neither."""
    sizes = Shape(1, 2, 1, 1, 2, 3, 4, tied=True, bias=False, head_norms=False)
    count = sizes.parameters  # 2 x (2 + 2) x 2 + 3 x 2 x 3 linear, 4 + 2 norms, 4 x 2 embedding
    assert count == 16 + 18 + 6 + 8
    full = {item.name: item.size for item in items(sizes, Work(reference=True, tokens=1, targets=1))}
    assert full["optimiser state (two moments)"] == 8 * count and full["reference policy"] == 4 * count
    lora = {item.name: item.size for item in items(sizes, Work(width=2, rank=1, tokens=1, targets=1))}
    assert lora["optimiser state (two moments)"] == 8 * sizes.adapters(1) and "reference policy" not in lora
