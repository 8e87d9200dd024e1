"""Credit by hand, where it needs more than the rewards of the rollouts."""

import pytest

from src.algorithm.spec import AdvantageSpec, TermSpec
from src.rewards.accuracy import Accuracy
from src.rewards.examples import sample
from src.training.credit import assign_credit
from tests.helpers.configs import compose


def test_remax_compares_with_the_greedy_completion_of_the_prompt():
    config = compose("+experiment=remax")
    spec = config.objective.advantage
    samples = [sample(right, group=group) for right, group in ((True, 0), (False, 0), (True, 1), (False, 1), (True, 2))]
    greedy = [sample(right, group=group) if right is not None else None for right, group in GREEDY]
    credit = assign_credit(Accuracy(), spec, config.schedule.start(), samples, 0.5, greedy)
    assert credit.result.advantage.tolist() == [1.0, 0.0, 0.0, -1.0, 0.0]  # the last has nothing to be compared with


GREEDY = ((False, 0), (False, 0), (True, 1), (True, 1), (None, 2))


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        (AdvantageSpec("greedy", whiten=True), "whiten must be false where the normaliser is greedy; got true"),
        (AdvantageSpec("greedy", within="language"), "within must be prompt where the normaliser is greedy"),
        (
            AdvantageSpec("greedy", alignment=TermSpec(form="add", at="reward")),
            "alignment.at must be advantage where the normaliser is greedy, which takes rewards as they are; got 'reward'",
        ),
    ],
)
def test_what_does_not_go_with_a_greedy_baseline_is_named(spec, rule):
    assert any(rule in violation for violation in spec.violations())
