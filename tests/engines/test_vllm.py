"""vLLM samples from the policy: its log-probabilities are transformers', after every change of the weights.

A process can have one engine, so what needs another one runs this file again in a process of its own, with the name of the
engine in ENGINE.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("vllm", reason="vLLM is not installed; make test-engines installs it apart")

from src.models.load import add_lora, policy_weights
from src.models.spec import LoraSpec
from src.rollout.engines.base import Sampling
from src.rollout.engines.build import sampling_of
from src.rollout.engines.native import NativeEngine
from src.rollout.engines.vllm import VllmEngine, VllmUnusable
from src.rollout.spec import RolloutSpec, VllmSpec
from tests.helpers.paths import ROOT
from tests.helpers.vllm import BLOCK, END, KIND, OTHER_END, PROMPTS, STREAMS, SYNC, apart, change, model

SPEC = RolloutSpec(
    engine="vllm",
    maximum_new_tokens=24,
    sync=SYNC or "merged",
    vllm=VllmSpec(maximum_prompt_tokens=160, sequences_at_once=256, cpu_cache_gb=0.1),
)
plain = pytest.mark.skipif(SYNC == "adapter", reason="another engine")


def engine_of(made, spec=SPEC):
    engine = VllmEngine(spec, made.get_base_model() if hasattr(made, "get_base_model") else made, (END, OTHER_END))
    engine.load(policy_weights(made))
    return engine


@plain
@pytest.mark.parametrize("tied", [True, False])
def test_log_probabilities_are_those_of_transformers_before_and_after_a_change(tied):
    made = model(tied)
    engine = engine_of(made)
    sampling = Sampling(24, temperature=0.9)
    before = engine.generate(PROMPTS, STREAMS, 4, sampling)
    assert apart(made, before, 0.9) < 1e-5
    change(made, 5)
    assert apart(made, before, 0.9) > 0.1  # else nothing is tested below
    engine.load(policy_weights(made))
    after = engine.generate(PROMPTS, STREAMS, 4, sampling)
    assert apart(made, after, 0.9) < 1e-5
    lengths = {len(row.tokens) for group in before + after for row in group}
    assert len(lengths) > 1  # some ended early


@plain
def test_a_prompt_gets_the_same_rollouts_alone_and_in_company():
    engine = engine_of(model())
    together = engine.generate(PROMPTS, STREAMS, 3, Sampling(16))
    again = engine.generate(PROMPTS, STREAMS, 3, Sampling(16))
    alone = engine.generate(PROMPTS[1:2], STREAMS[1:2], 3, Sampling(16))
    assert [[r.tokens for r in g] for g in together] == [[r.tokens for r in g] for g in again]
    assert [r.tokens for r in alone[0]] == [r.tokens for r in together[1]]
    assert len({tuple(r.tokens) for r in together[1]}) == 3  # completions of a group are not alike


def test_a_prompt_is_computed_once_and_never_taken_from_other_weights(monkeypatch):
    """What is cached of a prompt is that of its group, and of an earlier round with the same weights."""
    made = adapted(0.1) if SYNC else model()
    engine, cached = engine_of(made), []
    generate = engine.llm.generate

    def counted(*inputs, **settings):
        outputs = generate(*inputs, **settings)
        cached.append([output.num_cached_tokens for output in outputs])
        return outputs

    monkeypatch.setattr(engine.llm, "generate", counted)
    for seed in (1, 2):
        swell(made, seed / 10) if SYNC else change(made, seed)
        engine.load(policy_weights(made))
        for _ in range(2):
            groups = engine.generate(PROMPTS, STREAMS, 3, Sampling(8))
            assert apart(made, groups) < (1e-4 if SYNC else 1e-5)
    own, again = [0, 0, 0, 0, BLOCK, BLOCK, 0, 0, 0], [0, 0, 0, BLOCK, BLOCK, BLOCK, 0, 0, 0]
    assert cached == [own, again, own, again]


@plain
def test_an_engine_that_sleeps_is_awake_when_it_is_used(monkeypatch):
    """On a CPU there is nothing to give back, so what is tested is when vLLM would be told to."""
    engine, calls = engine_of(model()), []
    for name in ("collective_rpc", "generate"):
        monkeypatch.setattr(engine.llm, name, noted(calls, name, getattr(engine.llm, name)))
    for name in ("sleep", "wake_up"):
        monkeypatch.setattr(engine.llm, name, noted(calls, name, lambda **_: None))
    engine.sleeps = True
    sampling = Sampling(2)
    engine.generate(PROMPTS, STREAMS, 1, sampling)
    engine.generate(PROMPTS, STREAMS, 1, sampling)
    engine.load(policy_weights(model()))
    engine.load(policy_weights(model()))
    engine.generate(PROMPTS, STREAMS, 1, sampling)
    once = ["generate", "sleep"]
    assert calls == [*once, "wake_up", *once, "wake_up", "collective_rpc", "collective_rpc", *once]


def noted(calls, name, call):
    def called(*inputs, **settings):
        calls.append(name)
        return call(*inputs, **settings)

    return called


@plain
def test_more_prompts_than_fit_into_one_pass_change_nothing():
    """256 prompts of 60 tokens that have nothing in common are 15360 tokens, and a pass has room for 8192."""
    engine = engine_of(model())
    prompts = [torch.randint(3, 64, (60,), generator=torch.Generator().manual_seed(n)).tolist() for n in range(256)]
    together = engine.generate(prompts, list(range(256)), 1, Sampling(4))
    for number in (0, 140, 255):
        (alone,) = engine.generate(prompts[number : number + 1], [number], 1, Sampling(4))
        assert alone[0].tokens == together[number][0].tokens


@plain
def test_any_end_token_ends_a_completion_and_stays_in_it():
    groups = engine_of(model()).generate(PROMPTS, STREAMS, 32, Sampling(24))
    rows = [row for group in groups for row in group]
    assert {row.tokens[-1] for row in rows if not row.truncated} == {END, OTHER_END}
    assert all(not {END, OTHER_END} & set(row.content) for row in rows)
    assert all(len(row.tokens) == 24 for row in rows if row.truncated)


@plain
@pytest.mark.parametrize(
    "cut", [{"top_p": 0.6}, {"top_k": 5}, {"min_p": 0.4}, {"top_k": 8, "top_p": 0.7, "min_p": 0.1}]
)
def test_truncated_sampling_has_the_log_probabilities_of_what_is_left(cut):
    """Ours draws from the same distribution, so its log-probabilities of vLLM's tokens are the expected ones."""
    from src.rollout.engines.base import truncate

    made, sampling = model(), Sampling(12, temperature=0.8, **cut)
    groups = engine_of(made).generate(PROMPTS, STREAMS, 4, sampling)
    for prompt, group in zip(PROMPTS, groups, strict=True):
        for row in group:
            with torch.no_grad():
                logits = made(torch.tensor([prompt + row.tokens])).logits[0, len(prompt) - 1 : -1].float()
            known = truncate(torch.log_softmax(logits / 0.8, -1), sampling)
            expected = known.gather(-1, torch.tensor(row.tokens)[:, None])[:, 0]
            torch.testing.assert_close(row.logprobs, expected, atol=1e-5, rtol=0)


@plain
def test_tokens_come_as_often_as_their_probability_says():
    made = model()
    groups = engine_of(made).generate([PROMPTS[0]] * 8, list(range(8)), 500, Sampling(1))
    with torch.no_grad():
        expected = torch.softmax(made(torch.tensor([PROMPTS[0]])).logits[0, -1], -1)
    counts = torch.bincount(torch.tensor([row.tokens[0] for group in groups for row in group]), minlength=64)
    error = (expected * (1 - expected) / 4000).sqrt()
    assert ((counts / 4000 - expected).abs() < 5 * error + 1e-3).all()


@plain
def test_a_prompt_that_is_too_long_is_named():
    with pytest.raises(VllmUnusable, match=r"maximum_prompt_tokens .* got 160, and a prompt has 200 tokens"):
        engine_of(model()).generate([[5] * 200], [1], 2, sampling_of(SPEC))


@plain
def test_another_model_in_the_same_process_is_refused():
    engine_of(model())
    with pytest.raises(VllmUnusable, match="one model and one set of"):
        engine_of(model(), RolloutSpec(engine="vllm", maximum_new_tokens=8, vllm=SPEC.vllm))


@plain
@pytest.mark.skipif(torch.cuda.is_available(), reason="a limit of the CPU")
def test_heads_that_its_attention_does_not_have_are_named():
    from tests.helpers import tiny

    with pytest.raises(VllmUnusable, match=r"needs heads of 32, .* this model's have 8. Use rollout=native"):
        engine_of(tiny.model(KIND))


@plain
def test_merged_adapters_are_those_of_the_native_engine():
    made = adapted(0.2)
    groups = engine_of(made).generate(PROMPTS, STREAMS, 4, Sampling(16))
    assert apart(made, groups) < 1e-5


def adapted(size):
    made = add_lora(model(), LoraSpec(rank=4, alpha=8))
    swell(made, size)
    return made


def swell(made, size):
    generator = torch.Generator().manual_seed(int(size * 1000))
    for name, parameter in made.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(0.0, size, generator=generator)


@pytest.mark.skipif(SYNC != "adapter", reason="another engine")
def test_adapters_alone_give_what_merged_weights_give():
    made = adapted(0.1)
    engine = engine_of(made)
    native = NativeEngine(made.get_base_model().config, (END, OTHER_END), 0, 64)
    for size in (0.1, 0.2, 0.3):
        swell(made, size)
        engine.load(policy_weights(made))
        # adapters are added up in another order than folded ones, and these are as large as the weights
        assert apart(made, engine.generate(PROMPTS, STREAMS, 4, Sampling(16))) < 1e-4
    native.load(policy_weights(made))  # folded: as far from the trainer, which adds them up too
    assert apart(made, native.generate(PROMPTS, STREAMS, 4, Sampling(16))) < 1e-4
    with made.disable_adapter(), pytest.raises(AssertionError):  # they do change the policy
        assert apart(made, engine.generate(PROMPTS, STREAMS, 4, Sampling(16))) < 0.1


@pytest.mark.skipif("ENGINE" in os.environ, reason="started by this test")
@pytest.mark.parametrize("engine", ["qwen2", "qwen3-adapter", "qwen2-adapter"])
def test_other_engines(engine):
    command = [sys.executable, "-m", "pytest", "-x", str(Path(__file__))]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"ENGINE": engine}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
