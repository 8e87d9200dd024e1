"""losses.json: the surrogate, its diagnostics, and every estimator of the divergence."""

import pytest
import torch

from src.algorithm.diagnostics import approximate_kl, clip_fraction
from src.algorithm.kl import kl_penalty
from src.algorithm.losses import policy_loss, token_weights
from src.algorithm.spec import LossSpec
from tests.helpers.golden import golden

CASES = golden("losses.json")


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_losses(case):
    old, new, reference, mask = (
        torch.tensor(case[k]).float() for k in ("old_logprobs", "new_logprobs", "ref_logprobs", "mask")
    )
    advantage = torch.tensor(case["advantages"])
    spec = LossSpec(clip_low=case["clip"], clip_high=case["clip"])
    loss, ratio = policy_loss(spec, new, old, advantage, mask)
    tokens, sequences, maximum = int(mask.sum()), len(mask), case["dr_grpo_max_tokens"]

    def total(values, aggregation):
        return float((token_weights(mask, aggregation, tokens, sequences, maximum) * values).sum())

    assert total(loss, "token_mean") == pytest.approx(case["token_mean_loss"], abs=1e-5)
    assert total(loss, "sequence_sum") == pytest.approx(case["dr_grpo_loss"], abs=1e-5)
    assert clip_fraction(ratio, advantage, mask, case["clip"], case["clip"]) == pytest.approx(
        case["clip_fraction"], abs=1e-5
    )
    assert approximate_kl(new, old, mask) == pytest.approx(case["approx_kl"], abs=1e-5)
    for name, estimator in {"kl": "k1", "abs": "abs", "mse": "k2", "low_var_kl": "k3"}.items():
        assert total(kl_penalty(new, reference, estimator), "token_mean") == pytest.approx(case["kl"][name], abs=1e-5)
