"""losses.json: the surrogate, its diagnostics, and every estimator of the divergence."""

import pytest
import torch

from src.algorithm.diagnostics import clipped_tokens
from src.algorithm.kl import kl_penalty
from src.algorithm.losses import policy_loss, token_weights
from src.algorithm.spec import LossSpec
from src.training.metrics import RowUpdate
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
    assert total(clipped_tokens(ratio, advantage, case["clip"], case["clip"]), "token_mean") == pytest.approx(
        case["clip_fraction"], abs=1e-5
    )
    # What training logs of each rollout, weighed by its tokens.
    updates = [
        RowUpdate.of(row[real], None, row[real], float(value), spec, row[real])
        for row, real, value in zip(ratio, mask.bool(), advantage, strict=True)
    ]
    for name, key in (("clip_fraction", "clip_fraction"), ("approximate_kl", "approx_kl")):
        weighed = [getattr(update, name) * float(real.sum()) for update, real in zip(updates, mask, strict=True)]
        assert sum(weighed) / tokens == pytest.approx(case[key], abs=1e-5)
    for name, estimator in {"kl": "k1", "abs": "abs", "mse": "k2", "low_var_kl": "k3"}.items():
        assert total(kl_penalty(new, reference, estimator), "token_mean") == pytest.approx(case["kl"][name], abs=1e-5)
