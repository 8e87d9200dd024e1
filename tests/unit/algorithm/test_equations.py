"""Layer 0 against values worked out by hand."""

import math

import pytest
import torch

from src.algorithm.advantages import advantages, group_index, normalise
from src.algorithm.alignment import match, rarity
from src.algorithm.diagnostics import clipped_tokens
from src.algorithm.entropy import language_entropy
from src.algorithm.kl import kl_penalty
from src.algorithm.losses import token_weights
from src.algorithm.schedules.constant import Constant
from src.algorithm.schedules.cosine import Cosine
from src.algorithm.schedules.linear import Linear
from src.algorithm.spec import AdvantageSpec, DiversitySpec, LossSpec, TermSpec
from src.training.metrics import RowUpdate


def of(spec, rewards, reasoning, query="fr", factor=2.0, exploration=0.0, groups=None):
    n = len(rewards)
    return advantages(spec, rewards, reasoning, [query] * n, groups or [0] * n, factor, exploration)


def aligned(normaliser):
    """AdaMame's objective, the reward times 1 + B g m."""
    return AdvantageSpec(normaliser, alignment=TermSpec("multiply"))


def factors(schedule, *progress):
    controller = schedule.start()
    return [controller.factor(p, "fr") for p in progress]


def test_schedules_by_hand():
    assert [Cosine().growth(p) for p in (0, 0.5, 1)] == pytest.approx([0.1, 0.5, 1.0])
    assert factors(Cosine(maximum=2), 1 / 3) == pytest.approx([2 * 0.25])
    assert factors(Linear(), 0, 0.05, 0.5, 1) == pytest.approx([0.2, 0.2, 1.0, 2.0])
    assert factors(Constant(), 0, 1) == [2.0, 2.0]


def test_a_schedule_can_begin_late_and_end_early():
    late = Linear(maximum=1, floor=0, onset=0.5, end=0.75)
    assert factors(late, 0.4, 0.5, 0.625, 0.75, 1) == pytest.approx([0, 0, 0.5, 1, 1])


@pytest.mark.parametrize(
    ("schedule", "message"),
    [(Cosine(maximum=-1), "maximum"), (Cosine(floor=2), "floor"), (Cosine(onset=0.6, end=0.5), "onset < end")],
)
def test_a_schedule_that_makes_no_sense_says_so(schedule, message):
    assert len(schedule.violations()) == 1 and message in schedule.violations()[0]


def test_specs_name_what_is_allowed():
    assert "std, mean" in AdvantageSpec(normaliser="max").violations()[0]
    assert len(LossSpec(aggregation="x", kl_estimator="y", clip_low=0).violations()) == 3
    assert not LossSpec().violations()


def test_match_is_zero_when_unknown():
    assert match(["fr", "en", None], ["fr", "fr", "fr"]).tolist() == [1, 0, 0]


def test_alignment_term_by_hand():
    result = of(aligned("mean"), [1.0, 1.0, 0.0], ["fr", "en", "fr"], factor=1.5)
    assert result.alignment_term.tolist() == [1.5, 0.0, 1.5]
    assert result.score.tolist() == [2.5, 1.0, 0.0]


def test_rarity_counts_within_the_group_and_unknown_as_a_language():
    assert rarity(["fr", "fr", "en", None, "en"], ["a", "a", "a", "a", "b"]).tolist() == [1.0, 1.0, 3.0, 3.0, 0.0]


def test_the_diversity_term_by_hand():
    spec = AdvantageSpec("mean", diversity=DiversitySpec("multiply"))
    result = of(spec, [1.0, 1.0, 1.0, 0.0], ["fr", "fr", "fr", "en"], exploration=0.5)
    assert result.diversity_term.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1.5])
    assert result.score.tolist() == pytest.approx([7 / 6, 7 / 6, 7 / 6, 0.0])


def test_diversity_decays_as_the_factor_grows():
    controller = Cosine().start()
    assert [controller.exploration(p, "fr") for p in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])


def test_language_entropy_is_a_share_of_the_largest():
    # fr fr en en: ln 2 / ln 4 = 1/2; four languages: 1; one language, or one rollout: 0.
    reasoning = ["fr", "fr", "en", "en", "fr", "en", None, "ja", "fr", "fr", "fr"]
    entropies = language_entropy(reasoning, ["a"] * 4 + ["b"] * 4 + ["c"] * 2 + ["d"])
    assert entropies == pytest.approx({"a": 0.5, "b": 1.0, "c": 0.0, "d": 0.0})


def test_groups_are_numbered_by_first_appearance():
    index, count = group_index(["b", "a", "b"])
    assert index.tolist() == [0, 1, 0] and count == 2


def test_normalise_by_hand():
    index = torch.tensor([0, 0, 0, 0])
    scores = torch.tensor([1.0, 0.0, 0.0, 0.0])  # mean 0.25, unbiased std 0.5
    assert normalise(scores, index, 1, "std").tolist() == pytest.approx([1.5, -0.5, -0.5, -0.5], abs=1e-5)
    assert normalise(scores, index, 1, "mean").tolist() == [0.75, -0.25, -0.25, -0.25]
    assert normalise(scores, index, 1, "leave_one_out").tolist() == pytest.approx([1.0, -1 / 3, -1 / 3, -1 / 3])


def test_a_group_of_one_keeps_its_score_and_an_equal_group_teaches_nothing():
    assert normalise(torch.tensor([3.0]), torch.tensor([0]), 1, "std").tolist() == pytest.approx([3.0], abs=1e-5)
    assert normalise(torch.tensor([2.0, 2.0]), torch.tensor([0, 0]), 1, "std").tolist() == [0.0, 0.0]


def test_the_standard_deviation_cancels_the_bonus_in_groups_of_two_levels():
    # Four right in French, four right in English: +-4 / sqrt(8 x 16 / 7) = +-0.935, whatever the factor.
    reasoning = ["fr"] * 4 + ["en"] * 4
    for factor in (0.2, 2.0):
        result = of(aligned("std"), [1.0] * 8, reasoning, factor=factor)
        assert result.advantage.tolist() == pytest.approx([0.93541] * 4 + [-0.93541] * 4, abs=1e-4)
    for factor in (0.2, 2.0):
        result = of(aligned("mean"), [1.0] * 8, reasoning, factor=factor)
        assert result.advantage.tolist() == pytest.approx([factor / 2] * 4 + [-factor / 2] * 4)


def test_wrong_answers_gain_nothing_from_their_language():
    result = of(aligned("mean"), [0.0, 0.0, 1.0], ["fr", "en", "en"])
    assert result.score.tolist() == [0.0, 0.0, 1.0]
    assert torch.equal(result.advantage, result.base_advantage)


def test_three_levels_feel_the_factor():
    small, large = (of(aligned("std"), [1.0, 1.0, 0.0], ["fr", "en", "en"], factor=f) for f in (0.2, 2.0))
    assert small.advantage[1] > 0 > large.advantage[1]  # right in English: above the mean early, below it late


def test_a_reward_that_does_not_apply_leaves_its_rollout_out():
    result = of(AdvantageSpec("mean"), [1.0, None, 0.0], ["fr"] * 3)
    assert result.advantage.tolist() == [0.5, 0.0, -0.5]


def test_the_factor_may_differ_by_rollout():
    result = of(aligned("mean"), [1.0, 1.0], ["fr", "fr"], factor=torch.tensor([1.0, 0.5]))
    assert result.alignment_term.tolist() == [1.0, 0.5]


def test_token_weights_by_hand():
    mask = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    assert token_weights(mask, "token_mean", 3, 2, 9).sum().item() == pytest.approx(1)
    assert token_weights(mask, "sequence_mean", 3, 2, 9).tolist() == [[0.25, 0.25], [0.5, 0.0]]
    assert token_weights(mask, "sequence_sum", 3, 2, 10)[0, 0].item() == pytest.approx(1 / 20)
    with pytest.raises(ValueError, match="aggregation must be"):
        token_weights(mask, "mean", 3, 2, 9)


def test_kl_estimators_by_hand():
    new, reference = torch.tensor([0.0]), torch.tensor([-math.log(2)])  # d = log 2
    values = {name: kl_penalty(new, reference, name).item() for name in ("k1", "abs", "k2", "k3")}
    assert values == pytest.approx({"k1": 0.6931, "abs": 0.6931, "k2": 0.2402, "k3": 0.5 - 1 + 0.6931}, abs=1e-4)
    assert kl_penalty(torch.tensor([-50.0]), torch.tensor([0.0]), "k3").item() == 10.0
    with pytest.raises(ValueError, match="estimator must be"):
        kl_penalty(new, reference, "k4")


def test_diagnostics_by_hand():
    ratio = torch.tensor([[1.5, 1.5], [0.5, 1.5]])
    clipped = clipped_tokens(ratio, torch.tensor([1.0, -1.0]), 0.2, 0.2)
    assert clipped.tolist() == [[1.0, 1.0], [1.0, 0.0]]
    # new - old is -0.2 and 0.4; of two tokens one is clipped, and the ratio has moved by -0.1 nats a token
    moved = torch.tensor([-0.2, 0.4]).exp()
    update = RowUpdate.of(moved, None, torch.zeros(2), 1.0, LossSpec(), torch.zeros(2))
    assert update.clip_fraction == 0.5
    assert update.approximate_kl == pytest.approx(-0.1)
