"""Controllers of the alignment factor by hand; and any schedule goes on from a checkpoint as if nothing had happened."""

import json
import math
import random

import pytest
import torch

from src.algorithm.advantages import advantages
from src.algorithm.contrast import Contrast, estimate, total
from src.algorithm.schedules.base import Observed
from src.algorithm.schedules.critical import Critical
from src.algorithm.schedules.feedback import Feedback
from src.algorithm.schedules.lagrangian import Lagrangian
from src.algorithm.spec import AdvantageSpec, TermSpec
from src.common.registry import components

SCHEDULES = sorted(components("schedule").items())


def seen(reasoning, query="fr", rewards=None, groups=None):
    n = len(reasoning)
    return Observed(rewards or [1.0] * n, reasoning, [query] * n, groups or [0] * n)


def drawn(seed, step):
    """A step of 6 groups of 4 rollouts in two query languages."""
    chance = random.Random(f"{seed} {step}")
    query = [code for code in ("fr", "sw") for _ in range(12)]
    reasoning = [chance.choice([code, "en", None]) for code in query]
    rewards = [chance.choice([0.0, 1.0, None]) for _ in query]
    return Observed(rewards, reasoning, query, [i // 4 for i in range(24)])


def factors(controller, progress):
    codes = ("fr", "sw", "de")
    return [controller.factor(progress, c) for c in codes] + [controller.exploration(progress, c) for c in codes]


@pytest.mark.parametrize("kind", [kind for _, kind in SCHEDULES], ids=[name for name, _ in SCHEDULES])
def test_a_schedule_goes_on_from_a_checkpoint_exactly(kind):
    straight, broken = kind().start(), kind().start()
    for step in range(12):
        if step in (0, 5, 6):
            state = json.loads(json.dumps(broken.state_dict()))
            broken = kind().start()
            broken.load_state_dict(state)
        for controller in (straight, broken):
            controller.observe(drawn(0, step))
        assert factors(straight, step / 12) == factors(broken, step / 12)
        assert straight.metrics() == broken.metrics()


@pytest.mark.parametrize("kind", [kind for _, kind in SCHEDULES], ids=[name for name, _ in SCHEDULES])
def test_a_factor_stays_within_its_maximum_whatever_is_observed(kind):
    controller = kind(maximum=1.5).start()
    for step in range(30):
        controller.observe(drawn(1, step))
        for code in ("fr", "sw", "xx"):
            assert 0 <= controller.factor(step / 30, code) <= 1.5
            assert 0 <= controller.exploration(step / 30, code) <= 1


def test_the_lagrange_multiplier_by_hand():
    controller = Lagrangian(maximum=0.06, target=0.9, rate=0.05, memory=0.9).start()
    controller.observe(seen(["fr", "en"]))  # mhat = 0.5, next = 0.05 x 0.4 = 0.02
    assert controller.factor(0.5, "fr") == 0.0
    controller.observe(seen(["fr", "fr"]))  # mhat = 0.45 + 0.1 = 0.55, next = 0.02 + 0.05 x 0.35
    assert controller.factor(0.5, "fr") == pytest.approx(0.02)
    assert controller.metrics() == {"matched": pytest.approx(0.55)}
    controller.observe(seen(["en", "en"]))  # mhat = 0.495; 0.0375 + 0.05 x 0.405 = 0.05775
    assert controller.factor(0.5, "sw") == pytest.approx(0.0375)
    controller.observe(seen(["en", "en"]))
    controller.observe(seen(["en", "en"]))
    assert controller.factor(0.5, "sw") == 0.06


def test_a_multiplier_for_each_language_moves_when_its_language_is_asked():
    controller = Lagrangian(scope="language", per_language={"sw": {"rate": 0.1, "maximum": 5}}).start()
    controller.observe(seen(["en", "en"], "fr"))
    controller.observe(seen(["en", "en"], "sw"))
    controller.observe(seen(["sw", "sw"], "sw"))
    assert controller.factor(0, "fr") == pytest.approx(0.05 * 0.9)
    assert controller.factor(0, "sw") == pytest.approx(0.1 * 0.9)
    assert controller.factor(0, "de") == 0.0
    assert "scope=language" in Lagrangian(per_language={"sw": {"rate": 0.1}}).violations()[0]


def test_feedback_by_hand():
    controller = Feedback(maximum=2).start()
    controller.observe(seen(["fr", "fr", "en", "en"]))  # H / ln n = 1/2 initialises eta
    assert controller.exploration(0, "fr") == pytest.approx(1 - 0.5 / 0.6)
    assert controller.factor(0, "fr") == pytest.approx(2 * 0.1 / 0.6)
    controller.observe(seen(["fr"] * 4))  # eta = 0.45
    assert controller.metrics() == {"language_entropy": pytest.approx(0.45)}
    assert controller.factor(0, "fr") == pytest.approx(2 * 0.05 / 0.6)


def test_the_contrast_of_one_group_by_hand():
    own = Contrast()
    own.add(n_in=2, n_out=2, k_in=1, k_out=2)
    assert (own.weight, own.right_in, own.right_out) == (1.0, 0.5, 1.0)
    estimated = estimate(own, own, shrinkage=1e-12)
    # p_in = 1/2, p_out = 1; variance of the log ratio 1/1 - 1/2 + 1/2 - 1/2 = 1/2.
    assert (estimated.accuracy_in, estimated.accuracy_out, estimated.bonus) == pytest.approx((0.5, 1.0, 1.0))
    assert estimated.error == pytest.approx(2 * math.sqrt(0.5))


def test_few_observations_are_drawn_to_the_other_languages():
    own, other = Contrast(), Contrast()
    own.add(2, 2, 1, 2)
    other.add(4, 4, 4, 4)
    every = total([own, other])  # weight 3, in 2.5, out 3: pooled with half a right one, 3 / 4 and 3.5 / 4
    estimated = estimate(own, every, shrinkage=1.0)
    assert estimated.accuracy_in == pytest.approx((0.5 + 0.75) / 2)
    assert estimated.accuracy_out == pytest.approx((1 + 0.875) / 2)
    nothing = estimate(Contrast(), every, shrinkage=1.0)
    assert nothing.accuracy_in == pytest.approx(0.75) and math.isinf(nothing.error)


def test_easy_prompts_do_not_pass_for_an_easy_language():
    # The easy prompt is answered mostly in English, the hard one mostly not: 3/4 against 1/4 right, and B* = 0.
    own = Contrast()
    own.add(n_in=1, n_out=3, k_in=1, k_out=3)
    own.add(n_in=3, n_out=1, k_in=0, k_out=0)
    assert estimate(own, own, 1e-12).bonus == pytest.approx(0.0)


def test_the_standard_error_is_that_of_repeated_experiments():
    scores = []
    for seed in range(300):
        chance, own = random.Random(seed), Contrast()
        for _ in range(60):
            n_in = chance.randint(1, 7)
            ease = chance.choice([0.5, 1.0])
            k_in = sum(chance.random() < 0.4 * ease for _ in range(n_in))
            k_out = sum(chance.random() < 0.8 * ease for _ in range(8 - n_in))
            own.add(n_in, 8 - n_in, k_in, k_out)
        estimated = estimate(own, own, 1e-12)
        scores.append((math.log(estimated.bonus + 1) - math.log(2)) / (estimated.error / (estimated.bonus + 1)))
    mean = sum(scores) / len(scores)
    deviation = math.sqrt(sum((s - mean) ** 2 for s in scores) / (len(scores) - 1))
    assert abs(mean) < 0.25 and 0.85 < deviation < 1.15


def test_at_the_critical_bonus_the_languages_pull_equally():
    rewards = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0]
    reasoning = ["fr", "fr", "fr", "en", "en", "en", "fr", None]
    groups = [0, 0, 0, 0, 1, 1, 1, 1]
    own = Contrast()
    own.add(n_in=3, n_out=1, k_in=1, k_out=1)
    own.add(n_in=1, n_out=3, k_in=0, k_out=3)
    bonus = estimate(own, own, 1e-12).bonus
    spec = AdvantageSpec("mean", alignment=TermSpec("multiply"))
    result = advantages(spec, rewards, reasoning, ["fr"] * 8, groups, bonus, 0.0)
    pull = result.advantage[torch.tensor([r == "fr" for r in reasoning])].sum()
    assert bonus == pytest.approx(5.0) and float(pull) == pytest.approx(0.0, abs=1e-5)


def test_the_critical_factor_by_hand():
    controller = Critical(margin=0.25, shrinkage=1e-12, floor=0.0, keep=0.0, end=0.5, maximum=8).start()
    first = seen(["fr", "fr", "en", "en"], rewards=[1.0, 0.0, 1.0, 1.0])
    controller.observe(first)  # nothing before it: p_in = p_out = 1/2, B* + margin / p_in = 1/2
    assert [controller.factor(p, "fr") for p in (0, 0.25, 0.5, 1)] == pytest.approx([0, 0.25, 0.5, 0.5])
    controller.observe(first)  # now p_in = 1/2, p_out = 1: B* = 1 and the margin adds 1/2
    assert [controller.factor(p, "fr") for p in (0, 0.25, 0.5, 1)] == pytest.approx([0, 0.75, 1.5, 1.5])
    assert controller.metrics()["critical_bonus/fr"] == pytest.approx(1.0)


def test_a_language_that_is_being_lost_is_kept_ahead_of_the_ramp():
    controller = Critical(margin=0.25, shrinkage=1e-12, floor=0.0, keep=0.5, end=1.0).start()
    controller.observe(seen(["fr", "en", "en", "en"], rewards=[1.0, 1.0, 1.0, 1.0]))  # a share of 1/4
    assert controller.factor(0.0, "fr") == 0.0  # nothing is known yet
    controller.observe(seen(["en"] * 4))  # p_in = p_out = 1: B* + margin is 1/4, and g = 1 - (1/4) / (1/2)
    assert controller.factor(0.0, "fr") == pytest.approx(0.5 * 0.25)
    assert controller.factor(1.0, "fr") == pytest.approx(0.25)
    controller.observe(seen(["fr"] * 4))  # the share was (1/4 + 0) / 2 before this step
    assert controller.factor(0.0, "fr") == pytest.approx(0.75 * 0.25)


def test_what_is_hardly_observed_is_explored_until_the_factor_is_full():
    controller = Critical(observed=0.1, end=0.5).start()
    for _ in range(2):
        controller.observe(seen(["en"] * 19 + ["fr"], groups=list(range(20))))  # one in twenty is in the language
    assert controller.exploration(0.0, "fr") == pytest.approx(0.5)
    assert controller.exploration(0.25, "fr") == pytest.approx(0.25)
    assert controller.exploration(0.5, "fr") == 0.0
    for _ in range(2):
        controller.observe(seen(["en"] * 10 + ["sw"] * 10, "sw"))
    assert controller.exploration(0.0, "sw") == 0.0


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Critical(margin=-1), "schedule.margin"),
        (Critical(shrinkage=0), "schedule.shrinkage"),
        (Critical(observed=0.7), "schedule.observed"),
        (Critical(keep=2), "schedule.keep"),
        (Feedback(begin=1, full=1), "schedule.begin"),
        (Lagrangian(target=2), "schedule.target"),
        (Lagrangian(scope="each"), "schedule.scope"),
        (Critical(per_language={"sw": {"margins": 1}}), "schedule.per_language.sw"),
        (Critical(per_language={"sw": {"margin": -1}}), "schedule.per_language.sw.margin must be 0 or more; got -1"),
    ],
)
def test_a_controller_that_makes_no_sense_says_so(schedule, message):
    assert len(schedule.violations()) == 1 and message in schedule.violations()[0]
