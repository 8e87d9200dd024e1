"""GDPO by hand."""

import pytest

from src.algorithm.gdpo import gdpo
from src.algorithm.spec import AdvantageSpec, ObjectiveSpec, TermSpec
from src.common.errors import ConfigError
from src.config.checks import check
from src.rewards.accuracy import Accuracy
from src.rewards.composed import Composed
from src.rewards.examples import sample
from src.rewards.overlong import Overlong
from src.rewards.part import Part
from src.training.credit import assign_credit
from tests.helpers.configs import compose

TINY = 1e-12
HALF = 0.5**0.5  # 0.5 over the unbiased deviation of 0 and 1, sqrt(1/2)


def test_each_reward_counts_alike_whatever_its_size():
    total, advantage = gdpo([[0, 1], [0, 100]], [1.0, 1.0], [7, 7], TINY)
    assert total.tolist() == pytest.approx([-2 * HALF, 2 * HALF])
    assert advantage.tolist() == pytest.approx([-HALF, HALF])


def test_weights_count_after_the_normalisation_and_groups_are_apart():
    total, _ = gdpo([[0, 1, 5, 5], [1, 0, 0, 4]], [1.0, 0.5], ["a", "a", "b", "b"], TINY)
    assert total.tolist() == pytest.approx([-0.5 * HALF, 0.5 * HALF, -0.5 * HALF, 0.5 * HALF])


def test_what_does_not_apply_is_left_out_of_its_reward_alone():
    total, advantage = gdpo([[0, 1, None, None], [None, 1, 0, None]], [1.0, 1.0], [0] * 4, TINY)
    assert total.tolist() == pytest.approx([-HALF, 2 * HALF, -HALF, 0.0])
    # Three rollouts count: mean 0, unbiased deviation sqrt((0.5 + 2 + 0.5) / 2).
    assert advantage.tolist() == pytest.approx([-HALF / 1.5**0.5, 2 * HALF / 1.5**0.5, -HALF / 1.5**0.5, 0.0])


def test_epsilon_is_added_to_both_deviations():
    total, advantage = gdpo([[0, 1]], [1.0], [0, 0], epsilon=HALF)
    size = 0.5 / (HALF + HALF)
    assert total.tolist() == pytest.approx([-size, size])
    size = size / (2**0.5 * size + HALF)
    assert advantage.tolist() == pytest.approx([-size, size])


def test_nothing_to_compare_is_zero():
    assert gdpo([[1.0]], [1.0], [0], 1e-4)[1].tolist() == [0.0]
    assert gdpo([[None, None]], [1.0], [0, 0], 1e-4)[1].tolist() == [0.0, 0.0]
    assert gdpo([], [], [0, 1], 1e-4)[1].tolist() == [0.0, 0.0]
    assert gdpo([[3, 3, 3]], [1.0], [0, 0, 0], 1e-4)[1].tolist() == [0.0] * 3


def credit_of(reward, samples, **terms):
    config = compose("+experiment=grpo", "objective=gdpo")
    spec = AdvantageSpec("gdpo", **terms) if terms else config.objective.advantage
    return assign_credit(reward, spec, config.schedule.start(), samples, progress=0.5)


def test_a_step_is_credited_by_its_parts():
    samples = [sample(True, length=100), sample(False, length=90), sample(True, length=None), sample(False, length=80)]
    reward = Composed({"right": Part(Accuracy()), "short": Part(Overlong(100, 20), weight=2.0)})
    credit = credit_of(reward, samples)
    _, expected = gdpo([[1, 0, 1, 0], [-1, -0.5, None, 0]], [1.0, 2.0], [0] * 4, 1e-4)
    assert credit.result.advantage.tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert credit.scores.total[2] is None and credit.result.advantage[2] != 0  # its other part trains it
    assert credit.result.score.tolist() == [-1.0, -1.0, 1.0, 0.0]


def test_a_reward_without_parts_is_one():
    samples = [sample(True), sample(False), sample(True, group=1), sample(True, group=1)]
    _, expected = gdpo([[1, 0, 1, 1]], [1.0], [0, 0, 1, 1], 1e-4)
    assert credit_of(Accuracy(), samples).result.advantage.tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_language_term_acts_on_the_advantage():
    samples = [sample(True, detected="en"), sample(False)]
    credit = credit_of(Accuracy(), samples, alignment=TermSpec("add", "advantage"))
    moved = credit.result.advantage - credit.result.base_advantage
    assert moved[0] == 0 and moved[1] == credit.result.alignment_term[1] > 0


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("objective.advantage.epsilon=0", "epsilon must be above 0, and finite; got 0.0"),
        ("objective.advantage.alignment.form=add", "alignment.at must be advantage where the normaliser is gdpo"),
        ("objective.advantage.whiten=true", "whiten must be false where the normaliser is gdpo"),
        ("objective.advantage.within=language", "within must be prompt where the normaliser is gdpo"),
        ("reward.parts.accuracy.normalise=std", "reward.parts.accuracy.normalise must be none with objective=gdpo"),
    ],
)
def test_what_does_not_go_with_gdpo_is_named(override, rule):
    with pytest.raises(ConfigError, match=rule):
        check(compose("+experiment=grpo", "objective=gdpo", "reward=graded_fidelity", override))


def test_objectives_without_it_keep_their_identity():
    assert "epsilon" not in ObjectiveSpec(AdvantageSpec()).identity()["advantage"]
    assert ObjectiveSpec(AdvantageSpec("gdpo", epsilon=1e-6)).identity()["advantage"]["epsilon"] == 1e-6
