"""The factors of the policy loss against values worked out by hand, and one gradient however a mini-batch is cut."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.algorithm.diagnostics import clipped_tokens
from src.algorithm.losses import (
    PolicyObjective,
    entropy_threshold,
    importance_weight,
    near_the_sampler,
    policy_loss,
    probability_ratio,
    token_weights,
)
from src.algorithm.spec import AGGREGATIONS, RATIOS, SURROGATES, LossSpec, ObjectiveSpec

ROWS, TOKENS, VOCABULARY = 6, 5, 7


def test_clipped_surrogate_by_hand():
    old = torch.zeros(2, 2)
    new = torch.log(torch.tensor([[1.5, 0.5], [1.5, 0.5]]))
    spec = LossSpec(clip_low=0.2, clip_high=0.3)
    loss, ratio = policy_loss(spec, new, old, torch.tensor([1.0, -1.0]), torch.ones(2, 2))
    torch.testing.assert_close(ratio, torch.tensor([[1.5, 0.5], [1.5, 0.5]]))
    torch.testing.assert_close(loss, torch.tensor([[-1.3, -0.5], [1.5, 0.8]]))


def test_the_ratio_of_a_sequence_is_the_geometric_mean_of_its_tokens():
    new = torch.tensor([[math.log(2), math.log(8), 5.0], [0.0, 0.0, 0.0]], requires_grad=True)
    mask = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])  # the second has no tokens
    ratio = probability_ratio(new, torch.zeros(2, 3), mask, "sequence")
    torch.testing.assert_close(ratio, torch.tensor([[4.0] * 3, [1.0] * 3]))  # sqrt(2 x 8)
    # GSPO's loss is -A x 4 for the sequence; each of its two tokens carries half of the gradient 4.
    (ratio * token_weights(mask, "sequence_mean", 2, 1, 3)).sum().backward()
    torch.testing.assert_close(new.grad, torch.tensor([[2.0, 2.0, 0.0], [0.0, 0.0, 0.0]]))
    with pytest.raises(ValueError, match="ratio must be token or sequence; got 'group'"):
        probability_ratio(new, new, mask, "group")


def test_a_clipped_sequence_teaches_nothing():
    new = torch.tensor([[0.001, 0.0]], requires_grad=True)  # ratio exp(0.0005) > 1 + 4e-4
    spec = LossSpec(ratio="sequence", clip_low=3e-4, clip_high=4e-4)
    loss, _ = policy_loss(spec, new, torch.zeros(1, 2), torch.tensor([2.0]), torch.ones(1, 2))
    assert loss.tolist() == [pytest.approx([-2.0008] * 2)]
    loss.sum().backward()
    assert new.grad.tolist() == [[0.0, 0.0]]


def test_cispo_bounds_the_weight_and_keeps_the_gradient():
    new = torch.log(torch.tensor([[0.5, 0.1]])).requires_grad_()
    old = torch.log(torch.tensor([[0.1, 0.2]]))  # ratios 5 and 0.5
    spec = LossSpec(surrogate="cispo", clip_low=1.0, clip_high=0.28)
    loss, ratio = policy_loss(spec, new, old, torch.tensor([2.0]), torch.ones(1, 2))
    torch.testing.assert_close(ratio, torch.tensor([[5.0, 0.5]]))
    torch.testing.assert_close(loss, torch.tensor([[1.28 * 2 * math.log(2), 0.5 * 2 * math.log(10)]]))
    loss.sum().backward()
    torch.testing.assert_close(new.grad, torch.tensor([[-2.56, -1.0]]))  # -weight x A; the clipped token learns too
    with pytest.raises(ValueError, match="surrogate must be clipped, cispo or sapo; got 'ppo'"):
        policy_loss(LossSpec(surrogate="ppo"), new, old, torch.tensor([2.0]), torch.ones(1, 2))


def test_dual_clip_bounds_the_ratio_of_negative_advantages():
    """Ratios 5 and 2 with cap 3: where A = -2 the loss is 2 x 3 and 2 x 2, and what is capped has no gradient. Where A = 2
    both are clipped at 1.2."""
    new = torch.log(torch.tensor([[5.0, 2.0], [5.0, 2.0]])).requires_grad_()
    advantage = torch.tensor([-2.0, 2.0])
    loss, ratio = policy_loss(LossSpec(ratio_cap=3.0), new, torch.zeros(2, 2), advantage, torch.ones(2, 2))
    torch.testing.assert_close(loss, torch.tensor([[6.0, 4.0], [-2.4, -2.4]]))
    loss.sum().backward()
    torch.testing.assert_close(new.grad, torch.tensor([[0.0, 4.0], [0.0, 0.0]]))
    assert clipped_tokens(ratio, advantage, 0.2, 0.2, 3.0).tolist() == [[1.0, 0.0], [1.0, 1.0]]


def test_sapo_by_hand():
    """At ratio 1 the gate is 4 / tau x 1/2 and its slope 1; at 1 + ln 3 with tau = 1 the sigmoid is 3/4, so the gate is 3 and
    its slope 4 x 3/4 x 1/4 = 3/4. With A = -1 and tau = 2 the gate at 1 is 1."""
    ratios = torch.tensor([[1.0, 1.0 + math.log(3)], [1.0, 1.0]])
    new = torch.log(ratios).requires_grad_()
    spec = LossSpec(surrogate="sapo", temperature_positive=1.0, temperature_negative=2.0)
    loss, _ = policy_loss(spec, new, torch.zeros(2, 2), torch.tensor([1.0, -1.0]), torch.ones(2, 2))
    torch.testing.assert_close(loss, torch.tensor([[-2.0, -3.0], [1.0, 1.0]]))
    loss.sum().backward()
    torch.testing.assert_close(new.grad, torch.tensor([[-1.0, -0.75 * (1 + math.log(3))], [1.0, 1.0]]))


def test_sequences_far_from_their_sampler_do_not_count_where_they_are_bad():
    """Mean log sampler - log new a token: 0.6, 0.6, 0.4 and 0 of an empty one; the threshold is 0.5."""
    gap = torch.tensor([[1.0, 0.2, 9.0], [1.0, 0.2, 9.0], [0.4, 0.4, 0.4], [9.0, 9.0, 9.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    advantage = torch.tensor([-1.0, 1.0, -1.0, -1.0])
    assert near_the_sampler(-gap, torch.zeros(4, 3), advantage, mask, 0.5)[:, 0].tolist() == [0.0, 1.0, 1.0, 1.0]


def test_the_threshold_of_the_least_sure_tokens():
    """The quantile 0.6 of 0, 1, 2, 3, 4 lies at place 2.4."""
    assert entropy_threshold(torch.tensor([3.0, 0.0, 4.0, 1.0, 2.0]), 0.4) == pytest.approx(2.4)
    assert entropy_threshold(torch.tensor([0.5, 0.5]), 0.2) == 0.5  # equal ones all count
    assert entropy_threshold(torch.tensor([]), 0.2) == math.inf


def test_what_does_not_count_keeps_its_penalty_and_its_share_of_the_mean():
    """Two tokens with ratio 1, A = 3, one of them sure: the surrogate is -3 / 2. The penalty k1 is 1 on both, times 0.5; the
    bonus for entropy 4 is on the unsure one: -3 / 2 + 0.5 - 0.1 x 4 / 2 = -1.2."""
    zero, mask = torch.zeros(1, 2), torch.ones(1, 2)
    spec = LossSpec(kl_estimator="k1", kl_coefficient=0.5, entropy_coefficient=0.1, top_entropy=0.5)
    objective = PolicyObjective(
        spec, zero, zero, zero - 1, torch.tensor([3.0]), mask, mask / 2, torch.tensor([[1.0, 0.0]])
    )
    assert float(objective(zero, torch.full((1, 2), 4.0))) == pytest.approx(-1.2)


def test_the_rules_of_the_newer_settings():
    wrong = LossSpec(ratio_cap=1.1, temperature_positive=0.0, top_entropy=0.0, off_policy_threshold=-1.0).violations()
    assert len(wrong) == 4
    assert "ratio_cap must be at least 1 + clip_high, 1.2, or 0 for off; got 1.1" in wrong[0]
    assert "temperature_positive and temperature_negative must be above 0; got 0.0 and 1.05" in wrong[1]
    assert "top_entropy must be in (0, 1], 1 being all tokens; got 0.0" in wrong[2]
    (other,) = LossSpec(surrogate="sapo", ratio_cap=3.0).violations()
    assert "ratio_cap is for surrogate=clipped; got 3.0 with 'sapo'" in other
    assert not LossSpec(off_policy_threshold=0.5).by_token and LossSpec(top_entropy=0.2).by_token


def test_a_setting_that_came_later_counts_once_it_is_used():
    plain = ObjectiveSpec().identity()
    assert "ratio_cap" not in plain["loss"] and "whiten" not in plain["advantage"]
    used = ObjectiveSpec(loss=LossSpec(ratio_cap=3.0)).identity()
    assert used["loss"]["ratio_cap"] == 3.0 and "top_entropy" not in used["loss"]


def test_importance_weights_are_capped_and_have_no_gradient():
    trainer = torch.log(torch.tensor([[0.4, 0.1, 0.3]])).requires_grad_()
    sampler = torch.log(torch.tensor([[0.1, 0.2, 0.3]]))
    weight = importance_weight(trainer, sampler, 2.0)
    torch.testing.assert_close(weight, torch.tensor([[2.0, 0.5, 1.0]]))
    assert not weight.requires_grad


def test_the_specs_name_what_is_allowed():
    violations = LossSpec(ratio="group", surrogate="ppo", importance_cap=-1).violations()
    assert len(violations) == 3
    assert "ratio must be one of token, sequence; got 'group'" in violations[0]
    assert "surrogate must be one of clipped, cispo, sapo; got 'ppo'" in violations[1]
    wrong = ObjectiveSpec(loss=LossSpec(clip_low=2), sampling_rounds=0)
    assert len(wrong.violations()) == 2
    assert not ObjectiveSpec(loss=LossSpec(clip_low=1.0, importance_cap=2.0)).violations()


def gradient(spec, pieces):
    """The gradient, on a linear policy in float64, of the loss of six sequences cut into `pieces`."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    states, advantage = random(ROWS, TOKENS, 4), random(ROWS)
    targets = torch.randint(VOCABULARY, (ROWS, TOKENS, 1), generator=generator)
    lengths = torch.tensor([5, 1, 3, 4, 2, 5])
    mask = (torch.arange(TOKENS) < lengths[:, None]).double()
    weight, before, sampled_with, reference = (random(4, VOCABULARY) * 0.5 for _ in range(4))
    weight.requires_grad_()

    def logprobs(policy, rows):
        return torch.log_softmax(states[rows] @ policy, -1).gather(-1, targets[rows]).squeeze(-1) * mask[rows]

    every = torch.log_softmax(states @ weight.detach(), -1)
    entropies = -(every.exp() * every).sum(-1)  # (ROWS, TOKENS)
    threshold = entropy_threshold(entropies[mask.bool()], spec.top_entropy)
    for rows in pieces:
        new, old, sampler = (logprobs(policy, rows) for policy in (weight, before, sampled_with))
        weights = token_weights(mask[rows], spec.aggregation, int(mask.sum()), ROWS, spec.maximum_tokens)
        kept = (entropies[rows] >= threshold) * mask[rows]
        objective = PolicyObjective(
            spec, old, sampler, logprobs(reference, rows), advantage[rows], mask[rows], weights, kept
        )
        objective(new, entropies[rows]).backward()
    return weight.grad


# name -> settings beside aggregation, ratio and surrogate.
PIECES = {
    "all tokens": {},
    "top entropy": {"top_entropy": 0.4},
    "off-policy mask": {"off_policy_threshold": 0.05},
    "dual clip": {"ratio_cap": 1.3},
}


@pytest.mark.parametrize(
    ("aggregation", "ratio", "surrogate", "extra"),
    list(itertools.product(AGGREGATIONS, RATIOS, SURROGATES, PIECES)),
)
@settings(max_examples=6, deadline=None)
@given(part=st.lists(st.integers(0, 3), min_size=ROWS, max_size=ROWS))
def test_any_split_gives_one_gradient(aggregation, ratio, surrogate, extra, part):
    """Micro-batches add up their gradients, and so do ranks: a split is a split."""
    spec = LossSpec(
        ratio=ratio,
        surrogate=surrogate,
        aggregation=aggregation,
        maximum_tokens=TOKENS,
        importance_cap=2.0,
        kl_coefficient=0.1,
        **PIECES[extra],
    )
    pieces = [[row for row in range(ROWS) if part[row] == number] for number in sorted(set(part))]
    whole = gradient(spec, [list(range(ROWS))])
    assert whole.abs().max() > 1e-3
    torch.testing.assert_close(gradient(spec, pieces), whole, atol=1e-10, rtol=0)
