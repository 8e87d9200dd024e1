"""Rewards by hand."""

import doctest
import importlib
import pkgutil
from dataclasses import replace

import pytest

import src.rewards
from src.algorithm.schedules.constant import Constant
from src.algorithm.spec import AdvantageSpec, TermSpec
from src.common.errors import ConfigError
from src.config.checks import check
from src.data.records import Question
from src.grading.grader import Grade, GraderSpec, Status
from src.language.detector import DetectorSpec
from src.rewards.accuracy import Accuracy
from src.rewards.additive_language import AdditiveLanguage
from src.rewards.base import BadReward, score
from src.rewards.batch import MEASURES
from src.rewards.composed import Composed
from src.rewards.examples import sample
from src.rewards.fidelity import InLanguage
from src.rewards.overlong import Overlong
from src.rewards.part import Part
from src.rewards.settings import MeasureSpec
from src.rollout.judge import Judge
from src.store.records import of_sample
from src.training.credit import assign_credit
from tests.helpers.configs import compose

TIMEOUT = Grade(Status.TIMEOUT, "72", "boxed")
BATCH = [
    sample(correct=True, detected="sw"),
    sample(correct=True, detected="en"),
    sample(correct=False, detected="sw"),
    sample(grade=TIMEOUT, detected="en"),
]


def test_the_identity_of_a_composed_reward_holds_the_kind_of_every_reward_inside():
    identities = [
        Composed({"inner": Part(Composed({"part": Part(own)}))}).identity() for own in (Accuracy(), InLanguage())
    ]
    assert identities[0] != identities[1]
    assert identities[0]["parts"]["inner"]["reward"] == Composed({"part": Part(Accuracy())}).identity()


def test_accuracy_pays_for_right_answers():
    assert Accuracy()(BATCH) == [1.0, 1.0, 0.0, 0.0]


def test_the_additive_reward_pays_for_the_language_even_when_wrong():
    assert AdditiveLanguage(weight=0.5)(BATCH) == [1.5, 1.0, 0.5, 0.0]
    assert "weight must be 0 or more" in AdditiveLanguage(weight=-1).violations()[0]


def test_a_record_survives_what_utf8_cannot_hold():
    assert of_sample(sample(completion="a\ud800b"))["completion"] == "a?b"


@pytest.mark.parametrize("name", [info.name for info in pkgutil.iter_modules(src.rewards.__path__)])
def test_the_examples_of_the_docstrings_hold(name):
    module = importlib.import_module(f"src.rewards.{name}")
    assert doctest.testmod(module).failed == 0


def test_every_reward_shows_an_example():
    for module in ("accuracy", "additive_language", "composed", "fidelity", "overlong"):
        assert doctest.testmod(importlib.import_module(f"src.rewards.{module}")).attempted > 0


def test_overlong_by_hand():
    lengths = [1, 80, 85, 90, 100, 130]
    values = Overlong(maximum=100, buffer=20)([sample(length=length) for length in lengths])
    assert values == [0.0, 0.0, -0.25, -0.5, -1.0, -1.0]
    assert Overlong(maximum=100, buffer=20)([sample(length=None)]) == [None]
    for buffer in (0, 100):
        assert "buffer must be above 0 and below maximum" in Overlong(maximum=100, buffer=buffer).violations()[0]


def test_the_parts_of_a_composed_reward_add_up():
    reward = Composed({"accuracy": Part(Accuracy()), "language": Part(InLanguage(), weight=0.5, gates=["correct"])})
    scores = score(reward, BATCH)
    assert scores.total == reward(BATCH) == [1.5, 1.0, 0.0, 0.0]
    assert scores.parts == {"accuracy": [1.0, 1.0, 0.0, 0.0], "language": [0.5, 0.0, 0.0, 0.0]}
    assert score(Accuracy(), BATCH).parts == {}


def test_a_closed_gate_gives_its_own_value():
    part = Part(InLanguage(), weight=2.0, gates=["correct", "in_language"], otherwise=-1.0)
    assert part(BATCH) == [2.0, -2.0, -2.0, -2.0]


def test_what_does_not_apply_is_no_zero():
    counted, uncounted = sample(length=100), sample(length=None)
    overlong = Part(Overlong(100, 20), weight=0.5)
    reward = Composed({"accuracy": Part(Accuracy()), "overlong": overlong})
    assert reward([counted, uncounted]) == [0.5, None]
    gated = Composed({"accuracy": Part(Accuracy()), "overlong": Part(Overlong(100, 20), gates=["wrong"])})
    assert gated([counted, uncounted]) == [1.0, 1.0]  # the gate is closed: nothing has to be known


def test_a_part_is_normalised_among_the_samples_of_its_prompt():
    batch = [sample(correct=True, group=4), sample(correct=False, group=4), sample(correct=True, group=7)]
    batch += [sample(correct=True, group=7), sample(correct=False, group=7), sample(correct=False, group=7)]
    mean = Part(Accuracy(), weight=2.0, normalise="mean")
    assert mean(batch) == [1.0, -1.0, 1.0, 1.0, -1.0, -1.0]
    std = Part(Accuracy(), normalise="std")  # unbiased: sqrt(1/2), and sqrt(4 x 0.25 / 3)
    expected = [0.5 / 0.5**0.5, -0.5 / 0.5**0.5, 0.5 * 3**0.5, 0.5 * 3**0.5, -0.5 * 3**0.5, -0.5 * 3**0.5]
    assert std(batch) == pytest.approx(expected, abs=1e-5)


def test_gates_by_hand():
    unparsed = sample(grade=Grade(Status.UNPARSED, None, ""), closed=False, truncated=True)
    gates = ("correct", "wrong", "parsed", "closed", "in_language", "complete")
    rows = [*BATCH, unparsed]
    opened = {name: [value == 1 for value in MEASURES[name].values(rows, MeasureSpec())] for name in gates}
    assert opened == {
        "correct": [True, True, False, False, False],
        "wrong": [False, False, True, False, False],
        "parsed": [True, True, True, False, False],
        "closed": [True, True, True, True, False],
        "in_language": [True, False, True, False, False],
        "complete": [True, True, True, True, False],
    }


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({}, "reward.parts must name at least one part"),
        ({"fr": Part(Accuracy())}, "not by a language's code; got 'fr'"),
        ({"a-b": Part(Accuracy())}, "got 'a-b'"),
        (
            {"a": Part(Accuracy(), gates=["colsed"])},
            "parts.a.gates must be measures; got 'colsed'. Did you mean 'closed'?",
        ),
        ({"a": Part(of="acuracy")}, "reward.parts.a.of must be a measure; got 'acuracy'. Did you mean 'accuracy'?"),
        ({"a": Part(Accuracy(), of="accuracy")}, "reward.parts.a must have a measure (of) or a reward, not both"),
        ({"a": Part(of="accuracy", weight=float("nan"))}, "reward.parts.a.weight must be a finite number; got nan"),
        ({"a": Part(of="accuracy", otherwise=float("-inf"))}, "parts.a.otherwise must be a finite number; got -inf"),
        (
            {"a": Part(Accuracy(), normalise="max")},
            "reward.parts.a.normalise must be one of none, mean, std; got 'max'",
        ),
        ({"a": Part(Overlong(10, 20))}, "reward.parts.a.reward: buffer must be above 0 and below maximum"),
        ({"a": Part()}, "reward.parts.a.reward must be a reward; got None"),
    ],
)
def test_every_broken_rule_is_named(parts, rule):
    assert rule in "\n".join(Composed(parts).violations())


def test_a_composed_reward_comes_from_yaml():
    reward = compose("+experiment=grpo", "reward=accuracy_fidelity", "reward.parts.fidelity.weight=0.3").reward
    assert reward(BATCH) == [1.3, 1.0, 0.0, 0.0]
    with pytest.raises(ConfigError, match="gates must be measures"):
        check(compose("+experiment=grpo", "reward=accuracy_fidelity", "reward.parts.fidelity.gates=[right]"))


def test_dapo_pays_less_for_the_last_fifth_of_the_budget():
    reward = compose("+experiment=dapo").reward
    assert reward([sample(length=77), sample(length=96), sample(correct=False, length=96)]) == [1.0, 0.0, -1.0]


def test_what_is_right_is_the_graders_verdict_and_not_what_pays():
    """A wrong answer in the language earns 1 from the additive reward; the bonus of right ones is not for it."""
    spec = AdvantageSpec("mean", alignment=TermSpec("add", "advantage", rollouts="right"))
    batch = [sample(correct=True, detected="sw"), sample(correct=False, detected="sw")]
    credit = assign_credit(AdditiveLanguage(), spec, Constant(maximum=2.0).start(), batch, progress=0.5)
    assert credit.scores.total == [2.0, 1.0]
    assert credit.result.alignment_term.tolist() == [2.0, 0.0]
    assert credit.result.advantage.tolist() == [2.5, -0.5]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([1.0], "reward Bad must give one value for each sample, or None; it gave 1 for 2"),
        ([1.0, float("inf")], "it gave inf for row 1, problem 'p7' \\(sw\\), group 3"),
        ([1.0, "1"], "it gave '1' for row 1"),
        ([float("nan"), None], "it gave nan for row 0"),
    ],
)
def test_a_reward_that_gives_what_is_no_reward_is_named(values, rule):
    class Bad:
        def __call__(self, samples):
            return values

    with pytest.raises(BadReward, match=rule):
        score(Bad(), [sample(), sample(problem="p7", group=3)])
    with pytest.raises(BadReward, match="part own of the reward: reward Bad must give"):
        score(Composed({"own": Part(Bad())}), [sample(), sample()])


def test_the_identity_of_a_reward_without_measures_is_what_it_was():
    part = {"weight": 1.0, "gates": [], "otherwise": 0.0, "normalise": "none", "reward": {"is": "Accuracy"}}
    assert Composed({"a": Part(Accuracy())}).identity() == {"is": "Composed", "parts": {"a": part}}
    settings = [Composed({"a": Part(of="mixture")}, MeasureSpec(share_low=low)).identity() for low in (0.05, 0.1)]
    assert settings[0] != settings[1]


def test_a_reward_states_its_lowest_value():
    overlong = {"accuracy": Part(Accuracy()), "overlong": Part(Overlong(100, 20), weight=0.5)}
    assert Composed(overlong).lowest() == -0.5
    penalty = {
        "a": Part(of="accuracy"),
        "b": Part(of="repeats", weight=-0.25),
        "c": Part(of="one", gates=["closed"], otherwise=-1),
    }
    assert Composed(penalty).lowest() == -1.25
    assert Composed({"a": Part(Accuracy(), normalise="mean")}).lowest() == -float("inf")
    assert Composed({"a": Part(lambda samples: [0.0])}).lowest() is None


@pytest.mark.parametrize("name", ["m_thinker", "accuracy_overlong", "overlong", "code_switch_penalty"])
def test_a_reward_that_can_be_negative_is_not_multiplied(name):
    with pytest.raises(ConfigError, match=r"alignment.form must not be multiply .* lowest value is -"):
        check(compose("+experiment=adamame_grpo", f"reward={name}"))
    for experiment in ("grpo", "tworwd", "postnorm", "add"):
        check(compose(f"+experiment={experiment}", f"reward={name}"))


def test_a_part_without_its_evidence_is_refused(monkeypatch):
    monkeypatch.setitem(MEASURES, "accuracy", replace(MEASURES["accuracy"], needs=("an oracle",)))
    with pytest.raises(ConfigError, match="reward.parts.accuracy needs the evidence 'an oracle', which no service"):
        check(compose("+experiment=grpo", "reward=slc"))


def test_a_wrong_answer_gets_no_bonus_of_right_ones_whatever_the_yaml_pays():
    config = compose("+experiment=tworwd_correctonly", "reward=additive_language")
    check(config)
    batch = [sample(correct=right, detected=code) for right in (True, False) for code in ("sw", "en")]
    credit = assign_credit(config.reward, config.objective.advantage, config.schedule.start(), batch, progress=0.0)
    assert credit.scores.total == [2.0, 1.0, 1.0, 0.0]
    assert (credit.result.alignment_term > 0).tolist() == [True, False, False, False]


def test_a_reward_sees_the_question_and_its_row():
    question = Question("p7", "fr", "Quelle lettre ?", "B", kind="choice", part="hard")
    with Judge(DetectorSpec(), GraderSpec(), True) as judge:
        (judged,) = judge([question], ["Voici la lettre.</think>\\boxed{B}"], [9], [False])
    row = (judged.problem, judged.query_language, judged.question, judged.gold, judged.kind, judged.part)
    assert row == ("p7", "fr", "Quelle lettre ?", "B", "choice", "hard") and judged.correct
