"""What every objective of the family promises, over random groups."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.algorithm.advantages import advantages
from src.algorithm.spec import TermSpec
from src.common.registry import choices
from tests.helpers.configs import compose

SPECS = {name: compose("+experiment=grpo", f"objective={name}").objective.advantage for name in choices("objective")}
every_objective = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
few = settings(max_examples=25, deadline=None)
CODES = ["fr", "en", "sw", None]


@st.composite
def batches(draw, rewards=(0.0, 1.0), smallest=1):
    """Rewards, reasoning, query, groups of up to four prompts with up to eight rollouts each."""
    sizes = draw(st.lists(st.integers(smallest, 8), min_size=1, max_size=4))
    n = sum(sizes)
    groups = [place for place, size in enumerate(sizes) for _ in range(size)]
    asked = draw(st.lists(st.sampled_from(CODES[:3]), min_size=len(sizes), max_size=len(sizes)))
    return (
        draw(st.lists(st.sampled_from(rewards), min_size=n, max_size=n)),
        draw(st.lists(st.sampled_from(CODES), min_size=n, max_size=n)),
        [asked[group] for group in groups],
        groups,
    )


def advantage(spec, batch, factor=1.5, exploration=0.5):
    return advantages(spec, *batch, factor=factor, exploration=exploration).advantage


def reaches_the_advantage_as_it_is(term):
    return term.form != "none" and term.at == "advantage" and not (term.form == "add" and term.normalise)


BY_GROUP = {name: s for name, s in SPECS.items() if s.normaliser != "batch_std" and not s.whiten}
CENTRED = {
    name: s
    for name, s in SPECS.items()
    if s.within == "prompt" and not s.whiten and not reaches_the_advantage_as_it_is(s.alignment)
}


@pytest.mark.parametrize("spec", CENTRED.values(), ids=CENTRED.keys())
@few
@given(batch=batches(rewards=(0.0, 0.3, 1.0), smallest=2))
def test_advantages_of_a_group_have_mean_zero(spec, batch):
    result = advantage(spec, batch)
    for group in set(batch[3]):
        members = [place for place, g in enumerate(batch[3]) if g == group]
        assert abs(float(result[members].sum())) < 1e-4


@every_objective
@few
@given(batch=batches(smallest=2))
def test_without_a_bonus_there_is_no_language_term(spec, batch):
    without = dataclasses.replace(spec, alignment=TermSpec("none"))
    torch.testing.assert_close(advantage(spec, batch, factor=0.0), advantage(without, batch))


@every_objective
@few
@given(batch=batches(rewards=(0.0, 0.3, 1.0)), order=st.randoms(use_true_random=False))
def test_permuted_rollouts_have_permuted_advantages(spec, batch, order):
    places = list(range(len(batch[0])))
    order.shuffle(places)
    permuted = tuple([column[place] for place in places] for column in batch)
    torch.testing.assert_close(advantage(spec, permuted), advantage(spec, batch)[places])


@pytest.mark.parametrize("spec", BY_GROUP.values(), ids=BY_GROUP.keys())
@few
@given(batch=batches(rewards=(0.0, 0.3, 1.0)))
def test_a_group_does_not_depend_on_the_others(spec, batch):
    first = [place for place, group in enumerate(batch[3]) if group == 0]
    alone = tuple([column[place] for place in first] for column in batch)
    torch.testing.assert_close(advantage(spec, alone), advantage(spec, batch)[first])


@every_objective
@few
@given(batch=batches(rewards=(0.0, 1.0, None)))
def test_a_rollout_whose_reward_does_not_apply_has_no_advantage(spec, batch):
    result = advantage(spec, batch)
    assert torch.isfinite(result).all()
    assert all(value == 0 for value, reward in zip(result.tolist(), batch[0], strict=True) if reward is None)


@every_objective
@pytest.mark.parametrize(
    ("rewards", "reasoning"),
    [
        ([1.0], ["fr"]),
        ([0.0], [None]),
        ([1.0] * 4, ["fr"] * 4),
        ([0.0] * 4, ["fr", "en", "fr", "en"]),
        ([1.0, 0.0, 1.0, 0.0], [None] * 4),
        ([None] * 3, ["fr"] * 3),
    ],
    ids=["one right", "one wrong", "all right and in language", "all wrong", "all unknown", "none applies"],
)
def test_groups_at_the_edge(spec, rewards, reasoning):
    result = advantages(spec, rewards, reasoning, ["fr"] * len(rewards), ["p"] * len(rewards), 1.5, 0.5)
    assert result.advantage.shape == (len(rewards),) and torch.isfinite(result.advantage).all()
    if len(rewards) > 1 and len({*rewards}) == len({*reasoning}) == 1:
        # Equal rollouts teach nothing, but for a bonus that reaches the advantage as it is.
        bonus = 1.5 * float(rewards[0] == 1.0) if spec.alignment.form == "add" and not spec.alignment.normalise else 0.0
        expected = bonus if spec.alignment.at == "advantage" else 0.0
        assert result.advantage.tolist() == pytest.approx([expected] * len(rewards), abs=1e-5)


def one_language(spec, rewards, groups, tokens):
    n = len(rewards)
    return advantages(spec, rewards, ["fr"] * n, ["fr"] * n, groups, 0.0, 0.0, tokens=tokens).advantage.tolist()


def test_the_optimal_baseline_weighs_by_length():
    """Group 0: (3 x 1 + 1 x 0) / 4 = 3/4; group 1: (1 x 2 + 5 x 0) / 6 = 1/3."""
    result = one_language(SPECS["opo"], [1.0, 0.0, 2.0, 0.0], [0, 0, 1, 1], [3, 1, 1, 5])
    assert result == pytest.approx([0.25, -0.75, 5 / 3, -1 / 3])
    assert one_language(SPECS["opo"], [1.0, 0.0], [0, 0], [0, 0]) == pytest.approx([0.5, -0.5])  # all are empty


def test_the_deviation_of_the_step():
    """Rewards 1, 0, 1, 1 have mean 3/4 and unbiased variance (3/16 + 9/16) / 3 = 1/4."""
    result = one_language(SPECS["grpo_batch"], [1.0, 0.0, 1.0, 1.0], [0, 0, 1, 1], None)
    assert result == pytest.approx([1.0, -1.0, 0.0, 0.0], abs=1e-5)


def test_whitening_weighs_every_token():
    """Five tokens: three of reward 1 and two of 0, so mean 0.6 and unbiased variance (3 x 0.16 + 2 x 0.36) / 4 = 0.3."""
    rewards, groups, tokens = [1.0, 0.0, 0.0], [0, 0, 1], [3, 1, 1]
    result = one_language(SPECS["reinforce_plus_plus"], rewards, groups, tokens)
    assert result == pytest.approx([0.4 / 0.3**0.5, -0.6 / 0.3**0.5, -0.6 / 0.3**0.5], abs=1e-5)


def test_whitening_after_the_baseline_of_the_prompt():
    """Less their means 1/2 and 1 the rewards are 1/2, -1/2, 1, -1; over 1, 1, 2, 2 tokens the mean is 0 and the unbiased
    variance (1/4 + 1/4 + 2 + 2) / 5 = 0.9."""
    spec = SPECS["reinforce_plus_plus_baseline"]
    result = one_language(spec, [1.0, 0.0, 2.0, 0.0], [0, 0, 1, 1], [1, 1, 2, 2])
    assert result == pytest.approx([value / 0.9**0.5 for value in (0.5, -0.5, 1.0, -1.0)], abs=1e-5)
    assert one_language(spec, [1.0, 1.0], [0, 0], [3, 4]) == [0.0, 0.0]


def test_nothing_is_compared_within_a_language_without_a_normaliser():
    (violation,) = dataclasses.replace(SPECS["reinforce_plus_plus"], within="language").violations()
    assert "within must be prompt where normaliser is none" in violation and "got 'language'" in violation


def test_a_penalty_moves_the_score_but_not_what_is_right():
    spec = SPECS["tworwd_correctonly"]
    result = advantages(spec, [-2.0, 0.5], ["fr", "fr"], ["fr", "fr"], [0, 0], 2.0, 0.0, right=[True, False])
    # Scores -2 and 0.5 normalise to -+0.7071; the bonus is for the right one.
    assert result.advantage.tolist() == pytest.approx([2 - 0.7071, 0.7071], abs=1e-4)
