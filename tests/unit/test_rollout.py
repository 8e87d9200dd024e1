"""Rollout engines: ours gives what transformers gives, and randomness belongs to the prompt."""

import pytest
import tiny
import torch

from src.models.load import policy_weights
from src.models.logprobs import collate, completion_logprobs
from src.rollout.base import Sampling, draw
from src.rollout.hf import HfEngine
from src.rollout.native import NativeEngine, UnsupportedArchitecture
from src.rollout.scripted import ScriptedEngine

PROMPTS = [[3, 4, 5], [7, 8, 9, 10, 11, 12], [5]]
END, PAD = 1, 0


def native(model, rows=64):
    engine = NativeEngine(model.config, END, PAD, rows)
    engine.load(policy_weights(model))
    return engine


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("top_p", [1.0, 0.7])
def test_native_equals_transformers_token_by_token(kind, top_p):
    model = tiny.model(kind)
    sampling = Sampling(60, temperature=0.9, top_p=top_p)
    ours = native(model).generate(PROMPTS, [1, 2, 3], 8, sampling)
    theirs = HfEngine(tiny.model(kind), END, PAD, 64).generate(PROMPTS, [1, 2, 3], 8, sampling)
    ended = 0
    for group, other in zip(ours, theirs, strict=True):
        for one, two in zip(group, other, strict=True):
            assert one.tokens == two.tokens and one.truncated == two.truncated
            torch.testing.assert_close(one.logprobs, two.logprobs, atol=1e-5, rtol=0)
            ended += not one.truncated
    assert ended > 0 or top_p < 1  # the end token did come for some, and rows did leave the batch


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_sampled_logprobs_are_those_of_the_training_pass(kind):
    model = tiny.model(kind)
    groups = native(model).generate(PROMPTS, [1, 2, 3], 4, Sampling(24, temperature=0.8))
    pairs = [(p, r) for p, group in zip(PROMPTS, groups, strict=True) for r in group]
    batch = collate([p for p, _ in pairs], [r.tokens for _, r in pairs], PAD)
    with torch.no_grad():
        logprobs, entropy = completion_logprobs(model, batch, 0.8)
    for row, (_, rollout) in enumerate(pairs):
        torch.testing.assert_close(logprobs[row, : len(rollout.tokens)], rollout.logprobs, atol=2e-5, rtol=0)
    assert (entropy[batch.mask == 0] == 0).all() and (entropy[batch.mask == 1] > 0).all()


def test_a_prompt_gets_the_same_rollouts_alone_and_in_company():
    model = tiny.model()
    together = native(model).generate(PROMPTS, [1, 2, 3], 3, Sampling(16))
    alone = native(model).generate(PROMPTS[1:2], [2], 3, Sampling(16))
    in_pieces = native(model, rows=3).generate(PROMPTS, [1, 2, 3], 3, Sampling(16))
    assert [r.tokens for r in alone[0]] == [r.tokens for r in together[1]]
    assert [[r.tokens for r in g] for g in in_pieces] == [[r.tokens for r in g] for g in together]


def test_draw_inverts_the_cumulative_distribution():
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.7]])).repeat(5, 1)
    tokens, logprobs = draw(logits, torch.tensor([0.0, 0.05, 0.15, 0.31, 0.9999]), Sampling(1))
    assert tokens.tolist() == [0, 0, 1, 2, 2]
    torch.testing.assert_close(logprobs.exp(), torch.tensor([0.1, 0.1, 0.2, 0.7, 0.7]))


def test_top_p_keeps_the_smallest_set_that_holds_the_mass():
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.7]])).repeat(2, 1)
    tokens, _ = draw(logits, torch.tensor([0.5, 0.999]), Sampling(1, top_p=0.75))
    assert tokens.tolist() == [2, 1]  # {0.7, 0.2}: token 0 never


def test_an_architecture_native_does_not_know_is_an_error_that_names_the_way_out():
    from transformers import GPT2Config

    with pytest.raises(UnsupportedArchitecture, match="rollout.engine=hf"):
        NativeEngine(GPT2Config(), END, PAD, 8)


def test_the_script_ends_or_is_truncated():
    engine = ScriptedEngine(lambda prompt, index: [5, END] if index else [5] * 9, END)
    ((cut, ended),) = engine.generate([[1]], [0], 2, Sampling(4))
    assert cut.truncated and len(cut.tokens) == 4 and not ended.truncated
