"""What rounding explains between sampler and trainer, and what only another policy does."""

import pytest
import torch

from src.models.logprobs import collate
from src.models.precision import in_float32
from src.rollout.engines.base import Sampling
from src.rollout.engines.build import build_engine
from src.rollout.generate import BrokenPolicy, EngineUnderLimit, Mismatch, Prompt
from src.rollout.spec import RolloutSpec
from src.training.mismatch import Distance, Probe, SamplerMismatch, check
from src.training.truncated import kept_logprobs
from tests.helpers import families, tiny

PROMPTS = [Prompt([9 + n, 20, 30 + n], 7 * n) for n in range(6)]


def deep(dtype=torch.bfloat16, seed=0, layers=12):
    """A deep Qwen2, in which rounding adds up."""
    return families.model("qwen2", seed, num_hidden_layers=layers).to(dtype)


def rollouts_of(model, served=None, **settings):
    """(rollouts by prompt, probe, spec) of the engine for `model`, which samples from `served` where that is another."""
    spec = RolloutSpec(maximum_new_tokens=40, **settings)
    engine = build_engine(spec, model, tiny.tokenizer(tiny.QWEN3))
    if served is not None:
        engine.load(served.state_dict())
    probe = Probe(model, engine, spec, str(model.dtype).removeprefix("torch."), 8, "cpu")
    return EngineUnderLimit(engine, spec, 0, "a test", "wait"), probe


@pytest.mark.parametrize("engine", ["native", "hf"])
@pytest.mark.parametrize("settings", [{}, {"top_k": 3, "top_p": 0.9}, {"top_k": 1}, {"temperature": 0.5, "min_p": 0.1}])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_policy_itself_is_accepted_and_another_is_not(engine, settings, dtype):
    """In float32 and bfloat16, with truncated and greedy sampling."""
    model = deep(dtype)
    generate, probe = rollouts_of(model, engine=engine, **settings)
    probe.checked(generate)(PROMPTS, 2)
    generate, probe = rollouts_of(model, deep(dtype, seed=1), engine=engine, **settings)
    with pytest.raises(SamplerMismatch, match="must be the policy that is trained or evaluated"):
        probe.checked(generate)(PROMPTS, 2)


def test_weights_of_a_few_updates_ago_are_seen_in_bfloat16():
    """As far from the policy as rounding is, or a few times: only float32 tells."""
    model, stale = deep(), deep()
    generator = torch.Generator().manual_seed(1)
    for parameter in stale.parameters():
        noise = torch.randn(parameter.shape, generator=generator).to(parameter)
        parameter.data.add_(0.05 * parameter.data.std() * noise)
    generate, probe = rollouts_of(model, stale)
    with pytest.raises(SamplerMismatch, match="from the policy in float32 the sampler is"):
        probe.checked(generate)(PROMPTS, 2)


def test_weights_are_in_float32_for_a_moment_and_the_same_tensors_afterwards():
    model = deep(layers=1)
    before = {name: (parameter, parameter.data_ptr()) for name, parameter in model.named_parameters()}
    with in_float32(model) as possible:
        assert possible and model.dtype == torch.float32
    for name, parameter in model.named_parameters():
        assert (parameter, parameter.data_ptr()) == before[name] and parameter.dtype == torch.bfloat16


def test_weights_split_over_ranks_are_not_in_float32():
    model = deep(layers=1)
    next(model.parameters()).ds_id = 0
    with in_float32(model) as possible:
        assert not possible and model.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("mean", "entropy", "distances", "stops"),
    [
        (0.05, 2.2, None, False),  # below 0.06 sqrt(2.2) = 0.089
        (0.15, 2.2, None, False),  # below 0.12 sqrt(2.2) = 0.178
        (0.19, 2.2, None, True),
        (0.03, 0.2, None, False),  # a policy that is sure is rounded less: 0.12 sqrt(0.2) = 0.054
        (0.06, 0.2, None, True),
        (0.3, 2.2, [Distance(3.0, 2.0, 10)], False),  # float32 decides, both ways
        (0.1, 2.2, [Distance(3.0, 1.0, 10)], True),
        (0.1, 2.2, [], False),  # it cannot be held
    ],
)
def test_the_limit_in_bfloat16_knows_the_entropy_and_float32(mean, entropy, distances, stops):
    gaps = [Mismatch(10 * mean, mean, 10, 10 * entropy)]
    ask = None if distances is None else lambda: distances
    if not stops:
        check(gaps, RolloutSpec(), "bfloat16", "vllm", ask)
        return
    with pytest.raises(SamplerMismatch):
        check(gaps, RolloutSpec(), "bfloat16", "vllm", ask)


@pytest.mark.parametrize(("engine", "advice"), [("native", "hf"), ("vllm", "hf"), ("hf", "vllm")])
def test_the_engine_in_use_is_not_advised(engine, advice):
    with pytest.raises(SamplerMismatch) as caught:
        check([Mismatch(1.0, 1.0, 1)], RolloutSpec(), "float32", engine)
    assert f"rollout={advice}" in str(caught.value) and f"rollout={engine}" not in str(caught.value)


def test_a_token_that_is_cut_is_as_far_away_as_it_is_less_likely():
    """Top-1 of logits (2, 1.5, 0): token 0 has log-probability 0, token 1 is 0.5 below what is kept."""
    model = tiny.model("qwen2", tied=False, vocabulary=12)
    batch = collate([[3, 4]], [[5]], 0)
    with torch.no_grad():
        logp = model(torch.tensor([[3, 4]])).logits[0, -1].log_softmax(-1)
    order = logp.argsort(descending=True).tolist()
    for token, expected in ((order[0], 0.0), (order[3], float(logp[order[3]] - logp[order[0]]))):
        batch.targets[0, 0] = token
        value = kept_logprobs(model, Sampling(1, top_k=1), batch, 1.0)[0]
        torch.testing.assert_close(value, torch.tensor([[expected]]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("engine", ["native", "hf"])
@pytest.mark.parametrize("settings", [{}, {"top_k": 3}])
def test_nothing_is_sampled_from_numbers_that_are_none(engine, settings):
    model = tiny.model("qwen3", vocabulary=265)
    generate, _ = rollouts_of(model, engine=engine, **settings)
    model.model.layers[1].mlp.down_proj.weight.data[0, 0] = float("nan")
    generate.engine.load(model.state_dict())
    with pytest.raises(BrokenPolicy, match=rf"in 4 of 4 rollouts of engine {engine} some are NaN"):
        generate(PROMPTS[:2], 2)
