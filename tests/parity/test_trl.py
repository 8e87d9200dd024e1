"""Losses, gradients and advantages beside TRL's own code, called on a trainer that has nothing but its settings."""

from collections import defaultdict
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from src.algorithm.advantages import advantages
from src.algorithm.losses import PolicyObjective, entropy_threshold, token_weights
from src.algorithm.spec import AdvantageSpec, LossSpec

pytest.importorskip("trl", reason="TRL is not installed; `make bench` installs it (extra `bench`)")

ROWS, TOKENS, VOCABULARY = 12, 8, 11
LENGTHS = torch.tensor([8, 3, 1, 5, 8, 2] * 2)
# name -> (our loss, TRL's settings). TRL's epsilon_high of CISPO is the largest ratio, ours what it may be above 1.
VARIANTS = {
    "grpo": ({"aggregation": "sequence_mean"}, {"loss_type": "grpo"}),
    "grpo with KL": ({"aggregation": "sequence_mean", "kl_coefficient": 0.3}, {"loss_type": "grpo", "beta": 0.3}),
    "bnpo": ({}, {"loss_type": "bnpo"}),
    "bnpo with KL": ({"kl_coefficient": 0.3}, {"loss_type": "bnpo", "beta": 0.3}),
    "dapo": ({"clip_high": 0.28}, {"loss_type": "dapo", "epsilon_high": 0.28}),
    "dr_grpo": ({"aggregation": "sequence_sum", "maximum_tokens": 20}, {"loss_type": "dr_grpo"}),
    "gspo": (
        {"ratio": "sequence", "clip_low": 3e-4, "clip_high": 4e-4, "aggregation": "sequence_mean"},
        {"loss_type": "grpo", "importance_sampling_level": "sequence", "epsilon_low": 3e-4, "epsilon_high": 4e-4},
    ),
    "gspo, wide": (
        {"ratio": "sequence", "aggregation": "sequence_mean"},
        {"loss_type": "grpo", "importance_sampling_level": "sequence"},
    ),
    "cispo": ({"surrogate": "cispo", "clip_low": 1.0, "clip_high": 0.5}, {"loss_type": "cispo", "epsilon_high": 1.5}),
    "two-sided clip": ({"ratio_cap": 1.3}, {"loss_type": "bnpo", "delta": 1.3}),
    "two-sided clip, gspo": (
        {"ratio": "sequence", "aggregation": "sequence_mean", "ratio_cap": 1.25},
        {"loss_type": "grpo", "importance_sampling_level": "sequence", "delta": 1.25},
    ),
    "top entropy": ({"top_entropy": 0.3}, {"loss_type": "bnpo", "top_entropy_quantile": 0.3}),
    "top entropy with KL": (
        {"top_entropy": 0.5, "kl_coefficient": 0.3, "aggregation": "sequence_mean"},
        {"loss_type": "grpo", "beta": 0.3, "top_entropy_quantile": 0.5},
    ),
    "off-policy mask": ({"off_policy_threshold": 0.02}, {"loss_type": "bnpo", "off_policy_mask_threshold": 0.02}),
    "off-policy mask with KL": (
        {"off_policy_threshold": 0.02, "kl_coefficient": 0.3, "aggregation": "sequence_mean"},
        {"loss_type": "grpo", "beta": 0.3, "off_policy_mask_threshold": 0.02},
    ),
    "sapo": ({"surrogate": "sapo", "aggregation": "sequence_mean"}, {"loss_type": "sapo"}),
    "sapo, gspo": (
        {"surrogate": "sapo", "aggregation": "sequence_mean", "ratio": "sequence", "temperature_negative": 3.0},
        {"loss_type": "sapo", "importance_sampling_level": "sequence", "sapo_temperature_neg": 3.0},
    ),
    "tis": ({"importance_cap": 1.3, "kl_coefficient": 0.3}, {"loss_type": "bnpo", "beta": 0.3, "use_vllm": True}),
}


def random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(params=range(3))
def batch(request):
    """Logits of the policy being trained, log-probabilities of three others that are not far, and advantages."""
    seed = 10 * request.param
    logits, targets = (
        random(seed, ROWS, TOKENS, VOCABULARY),
        torch.arange(ROWS * TOKENS).view(ROWS, TOKENS) % VOCABULARY,
    )
    mask = (torch.arange(TOKENS) < LENGTHS[:, None]).double()

    def near(offset, size):
        other = logits + size * random(seed + offset, ROWS, TOKENS, VOCABULARY)
        return torch.log_softmax(other, -1).gather(-1, targets[..., None]).squeeze(-1)

    return SimpleNamespace(
        logits=logits.requires_grad_(),
        targets=targets,
        mask=mask,
        advantage=random(seed + 1, ROWS),
        old=near(2, 0.3).detach(),
        reference=near(3, 0.5).detach(),
        sampler=near(4, 0.3).detach(),
    )


def logprobs(batch):
    return torch.log_softmax(batch.logits, -1).gather(-1, batch.targets[..., None]).squeeze(-1)


def entropies(batch):
    logp = torch.log_softmax(batch.logits.detach(), -1)
    return -(logp.exp() * logp).sum(-1).float().double()  # TRL takes the quantile in float32


def ours(spec, batch):
    mask = batch.mask
    uncertain = None
    if spec.top_entropy < 1:
        uncertain = (entropies(batch) >= entropy_threshold(entropies(batch)[mask.bool()], spec.top_entropy)) * mask
    weights = token_weights(mask, spec.aggregation, int(mask.sum()), ROWS, spec.maximum_tokens)
    reference = batch.reference if spec.kl_coefficient else None
    objective = PolicyObjective(spec, batch.old, batch.sampler, reference, batch.advantage, mask, weights, uncertain)
    return objective(logprobs(batch), entropies(batch))


def theirs(settings, cap, batch):
    from trl import GRPOTrainer

    values = {
        "loss_type": "grpo",
        "importance_sampling_level": "token",
        "epsilon_low": 0.2,
        "epsilon_high": 0.2,
        "beta": 0.0,
        "use_vllm": False,
        "vllm_importance_sampling_correction": True,
        "max_completion_length": 20,
        "aux_loss_enabled": False,
        "top_entropy_quantile": 1.0,
        "off_policy_mask_threshold": None,
        "current_gradient_accumulation_steps": 1,
        "_entropy_bonus_enabled": False,
    }
    arguments = {
        "delta": None,
        "use_bias_correction_kl": False,
        "steps_per_generation": 1,
        "sapo_temperature_pos": 1.0,
        "sapo_temperature_neg": 1.05,
    }
    trainer = SimpleNamespace(
        **values | {name: value for name, value in settings.items() if name not in arguments},
        args=SimpleNamespace(**arguments | {name: settings[name] for name in arguments if name in settings}),
        model=SimpleNamespace(training=True),
        accelerator=SimpleNamespace(
            num_processes=1,
            gather=lambda x: x,
            reduce=lambda x, reduction: x,
            pad_across_processes=lambda x, **_: x,
        ),
        get_off_policy_mask=GRPOTrainer.get_off_policy_mask,
        _metrics={"train": defaultdict(list)},
        _get_per_token_logps_and_entropies=lambda *_, **__: (logprobs(batch), entropies(batch), None),
    )
    trainer.get_high_entropy_mask = partial(GRPOTrainer.get_high_entropy_mask, trainer)
    prompt = torch.ones(ROWS, 2, dtype=torch.long)
    inputs = {
        "prompt_ids": prompt,
        "prompt_mask": prompt,
        "completion_ids": batch.targets,
        "completion_mask": batch.mask,
        "advantages": batch.advantage,
        "old_per_token_logps": batch.old,
        "sampling_per_token_logps": batch.sampler,
        "ref_per_token_logps": batch.reference,
        "num_items_in_batch": batch.mask.sum(),
        "importance_sampling_ratio": (batch.old - batch.sampler).exp().clamp(max=cap),
    }
    return GRPOTrainer._compute_loss(trainer, None, inputs)


@pytest.mark.parametrize("name", VARIANTS)
def test_loss_and_gradient_are_those_of_trl(name, batch):
    own, settings = VARIANTS[name]
    spec = LossSpec(**{"kl_coefficient": 0.0} | own)
    results = []
    for loss in (ours(spec, batch), theirs(settings, spec.importance_cap, batch)):
        (gradient,) = torch.autograd.grad(loss, batch.logits)
        results.append((loss.detach(), gradient))
    assert results[0][1].abs().max() > 1e-4
    torch.testing.assert_close(results[0], results[1], atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize(
    ("normaliser", "trainer", "tolerance"),
    [
        ("leave_one_out", "RLOOTrainer", 1e-6),
        ("mean", "GRPOTrainer", 1e-6),
        ("std", "GRPOTrainer", 1e-3),
        ("batch_std", "GRPOTrainer", 1e-3),
    ],
)
def test_advantages_are_those_of_trl(normaliser, trainer, tolerance):
    """TRL adds 1e-4 to the standard deviation, we add 1e-6: hence the wider tolerance."""
    import trl

    rewards, size = [1.0, 0.0, 0.5, 0.25, 1.0, 1.0, 1.0, 0.0], 4
    groups = [row // size for row in range(len(rewards))]
    result = advantages(
        AdvantageSpec(normaliser=normaliser), rewards, ["en"] * 8, ["en"] * 8, groups, factor=0.0, exploration=0.0
    )
    scale = {"std": "group", "batch_std": "batch"}.get(normaliser, "none")
    expected = trl_advantages(getattr(trl, trainer), rewards, size, scale)
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(result.advantage, expected, atol=tolerance, rtol=0)


def trl_advantages(kind, rewards, size, scale_rewards):
    """What TRL makes of given rewards: its own scoring, on completions of one token that nobody generated."""
    from unittest.mock import MagicMock

    rows, unused = len(rewards), torch.zeros(len(rewards), 1)
    trainer = MagicMock()
    settings = {
        "environment_factories": None,
        "environments": None,
        "tools": None,
        "num_generations": size,
        "beta": 0.0,
        "use_vllm": False,
        "pad_to_multiple_of": None,
        "mask_truncated_completions": False,
        "scale_rewards": scale_rewards,
        "normalize_advantages": False,
        "reward_clip_range": None,
        "multi_objective_aggregation": "sum_then_normalize",
        "reward_weights": torch.ones(1),
        "reward_func_names": ["given"],
        "num_iterations": 1,
        "log_completions": False,
    }
    for name, value in settings.items():
        setattr(trainer, name, value)
    trainer.accelerator.device, trainer.accelerator.process_index = torch.device("cpu"), 0
    trainer.model.training, trainer._tokenizer.pad_token_id = True, 0
    trainer.args.gradient_accumulation_steps = trainer.args.steps_per_generation = 1
    trainer._get_per_token_logps_and_entropies.return_value = (unused, unused, None)
    trainer._calculate_rewards.return_value = torch.tensor(rewards)[:, None]
    prompts, completions, texts = [[1]] * rows, [[2]] * rows, ["x"] * rows
    trainer._generate.return_value = {
        "RLOOTrainer": (prompts, completions, texts),
        "GRPOTrainer": (prompts, completions, None, texts, None, {}, None, None),
    }[kind.__name__]
    return kind._generate_and_score_completions(trainer, [{"prompt": "x"}] * rows)["advantages"]
