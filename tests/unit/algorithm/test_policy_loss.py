"""The factors of the policy loss against values worked out by hand, and one gradient however a mini-batch is cut."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.algorithm.kl import kl_penalty
from src.algorithm.losses import importance_weight, policy_loss, probability_ratio, token_weights
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
    with pytest.raises(ValueError, match="surrogate must be clipped or cispo; got 'ppo'"):
        policy_loss(LossSpec(surrogate="ppo"), new, old, torch.tensor([2.0]), torch.ones(1, 2))


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
    assert "surrogate must be one of clipped, cispo; got 'ppo'" in violations[1]
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

    for rows in pieces:
        new, old, sampler = (logprobs(policy, rows) for policy in (weight, before, sampled_with))
        loss, _ = policy_loss(spec, new, old, advantage[rows], mask[rows])
        loss = loss * importance_weight(old, sampler, 2.0)
        value = loss + 0.1 * kl_penalty(new, logprobs(reference, rows), "k3")
        weights = token_weights(mask[rows], spec.aggregation, int(mask.sum()), ROWS, spec.maximum_tokens)
        (weights * value).sum().backward()
    return weight.grad


@pytest.mark.parametrize(
    ("aggregation", "ratio", "surrogate"), list(itertools.product(AGGREGATIONS, RATIOS, SURROGATES))
)
@settings(max_examples=15, deadline=None)
@given(part=st.lists(st.integers(0, 3), min_size=ROWS, max_size=ROWS))
def test_any_split_gives_one_gradient(aggregation, ratio, surrogate, part):
    """Micro-batches add up their gradients, and so do ranks: a split is a split."""
    spec = LossSpec(ratio=ratio, surrogate=surrogate, aggregation=aggregation, maximum_tokens=TOKENS)
    pieces = [[row for row in range(ROWS) if part[row] == number] for number in sorted(set(part))]
    whole = gradient(spec, [list(range(ROWS))])
    assert whole.abs().max() > 1e-3
    torch.testing.assert_close(gradient(spec, pieces), whole, atol=1e-10, rtol=0)
