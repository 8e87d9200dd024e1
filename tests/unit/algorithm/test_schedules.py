"""Curves of the alignment factor by hand, what holds for all of them, settings by language, and their pictures."""

import math
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.algorithm.schedules.base import Curve, CurveController
from src.algorithm.schedules.constant import Constant
from src.algorithm.schedules.cosine import Cosine
from src.algorithm.schedules.cyclic import Cyclic
from src.algorithm.schedules.exponential import Exponential
from src.algorithm.schedules.feedback import Feedback
from src.algorithm.schedules.lagrangian import Lagrangian
from src.algorithm.schedules.linear import Linear
from src.algorithm.schedules.piecewise import Piecewise
from src.algorithm.schedules.polynomial import Polynomial
from src.algorithm.schedules.sigmoid import Sigmoid
from src.algorithm.schedules.step import Step
from src.algorithm.spec import AdvantageSpec
from src.commands.schedules import every_yaml
from src.common.errors import ConfigError
from src.common.registry import choices, components
from src.config.checks import check
from src.config.directory import directory_of
from src.reporting.schedules import apart, overview, preview
from tests.helpers.paths import ROOT

CURVES = {name: kind for name, kind in components("schedule").items() if issubclass(kind, Curve)}


def shapes(curve, *points):
    return [curve.shape(u) for u in points]


def test_an_exponential_grows_by_a_constant_factor():
    # e^k = 4: (4^u - 1) / 3 is 1/3 half-way; e^k = 1/4: (1/2 - 1) / (1/4 - 1) = 2/3.
    assert shapes(Exponential(rate=math.log(4)), 0, 0.5, 1) == pytest.approx([0, 1 / 3, 1])
    assert shapes(Exponential(rate=-math.log(4)), 0, 0.5, 1) == pytest.approx([0, 2 / 3, 1])
    assert shapes(Exponential(rate=0.0), 0, 0.3, 1) == [0, 0.3, 1]


def test_a_sigmoid_is_rescaled_to_begin_at_0_and_end_at_1():
    # e^k = 9, centre 1/2: s is 1/4 at 0, 1 / (1 + sqrt 3) at 1/4, 3/4 at 1.
    at_quarter = (1 / (1 + math.sqrt(3)) - 1 / 4) / (1 / 2)
    assert shapes(Sigmoid(steepness=math.log(9)), 0, 0.25, 0.5, 1) == pytest.approx([0, at_quarter, 0.5, 1])
    # e^k = 3, centre 1: s is 1/4 at 0, 1 / (1 + sqrt 3) at 1/2, 1/2 at 1.
    half_way = (1 / (1 + math.sqrt(3)) - 1 / 4) / (1 / 4)
    assert shapes(Sigmoid(steepness=math.log(3), centre=1.0), 0, 0.5, 1) == pytest.approx([0, half_way, 1])


def test_a_polynomial_is_a_power():
    assert shapes(Polynomial(power=2.0), 0, 0.5, 1) == [0, 0.25, 1]
    assert shapes(Polynomial(power=0.5), 0, 0.25, 1) == [0, 0.5, 1]


def test_cycles_rise_as_often_as_they_say_and_end_at_1():
    assert shapes(Cyclic(cycles=2), 0, 1 / 6, 1 / 3, 2 / 3, 1) == pytest.approx([0, 0.5, 1, 0, 1])
    assert shapes(Cyclic(cycles=1), 0, 0.3, 1) == pytest.approx(shapes(Cosine(), 0, 0.3, 1))


def test_a_piecewise_curve_goes_through_its_points():
    curve = Piecewise(points=[[0.2, 0.5], [0.6, 0.1], [0.8, 1]])
    assert shapes(curve, 0, 0.2, 0.4, 0.6, 0.7, 0.8, 1) == pytest.approx([0.5, 0.5, 0.3, 0.1, 0.55, 1, 1])
    assert shapes(Piecewise(points=[[0.5, 0.4]]), 0, 0.5, 1) == [0.4, 0.4, 0.4]


def test_a_step_jumps_at_its_place():
    controller = Step(floor=0.0, at=0.5).start()
    assert [controller.factor(p, "fr") for p in (0, 0.499, 0.5, 1)] == [0, 0, 2, 2]
    assert [controller.exploration(p, "fr") for p in (0, 0.499, 0.5, 1)] == [1, 1, 0, 0]


@pytest.mark.parametrize(("name", "at"), [("staged", 0.5), ("phased", 0.7)])
def test_two_stage_methods_switch_once(compose, name, at):
    controller = compose("+experiment=adamame_grpo", f"schedule={name}").schedule.start()
    for progress, aligned in ((0, False), (at - 0.01, False), (at, True), (1, True)):
        assert controller.factor(progress, "fr") == (2.0 if aligned else 0.0)
        assert controller.exploration(progress, "fr") == (0.0 if aligned else 1.0)


@pytest.mark.parametrize("kind", CURVES.values(), ids=CURVES)
@given(
    floor=st.floats(0, 1),
    onset=st.floats(0, 0.9),
    length=st.floats(0.05, 1),
    progress=st.floats(0, 1),
)
def test_what_holds_for_every_curve(kind, floor, onset, length, progress):
    curve = kind(maximum=3.0, floor=floor, onset=onset, end=min(1.0, onset + length))
    assert not curve.violations()
    assert floor <= curve.growth(progress) <= 1 + 1e-12
    assert curve.rise(0) == (1 if kind is Constant else 0)
    assert curve.rise(1) == pytest.approx(1)
    if progress <= onset:
        assert curve.rise(progress) == curve.rise(0)
    if progress >= curve.end:
        assert curve.rise(progress) == curve.rise(1)
    controller = curve.start()
    if isinstance(controller, CurveController):
        assert controller.factor(progress, "fr") == 3 * curve.growth(progress)
        assert controller.exploration(progress, "fr") == pytest.approx(1 - curve.rise(progress))


EXTREME = [
    Exponential(rate=-100),
    Exponential(rate=-1e-9),
    Exponential(rate=1e-300),
    Exponential(rate=100),
    *(Sigmoid(steepness=k, centre=c) for k in (0.01, 100) for c in (0, 0.3, 1)),
    Polynomial(power=1e-6),
    Polynomial(power=1e6),
    Piecewise(points=[[0, 0], [1e-300, 1]]),
]


@pytest.mark.parametrize("curve", EXTREME, ids=str)
def test_settings_at_their_limits_still_rise_from_0_to_1(curve):
    assert not curve.violations()
    values = shapes(curve, 0, 1e-9, 0.1, 0.5, 0.9, 1)
    assert (values[0], values[-1]) == (0, pytest.approx(1))
    assert all(a <= b + 1e-12 for a, b in pairwise(values))


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Exponential(rate=101), "schedule.rate must be in [-100, 100]; got 101. For a jump take schedule=step"),
        (Exponential(rate=math.nan), "schedule.rate must be in"),
        (Sigmoid(steepness=0), "schedule.steepness must be in [0.01, 100]; got 0."),
        (Sigmoid(centre=2), "schedule.centre must be in [0, 1]"),
        (Polynomial(power=0), "schedule.power must be above 0; got 0."),
        (Cyclic(cycles=0), "schedule.cycles must be a whole number, at least 1; got 0"),
        (Cyclic(cycles=2.5), "schedule.cycles must be a whole number"),
        (Step(at=-1), "schedule.at must be in [0, 1]; got -1"),
        (Piecewise(points=[]), "got no point"),
        (Piecewise(points=[[0, 0], [0.5]]), "schedule.points must be pairs [share of the rise, growth]"),
        (Piecewise(points=[[0, 0], [0.5, 2]]), "both in [0, 1]; got [0.5, 2]"),
        (Piecewise(points=[0, "x"]), "both in [0, 1]; got 0"),
        (Piecewise(points=[[0, 0], [0.5, 1], [0.5, 0]]), "schedule.points must be in ascending order"),
        (Cosine(per_language={"sw": {"floor": 2}}), "schedule.per_language.sw.floor must be in [0, 1]; got 2"),
        (
            Cosine(per_language={"sw": {"flor": 0}}),
            "name settings of the schedule: maximum, floor, onset, end; got 'flor'",
        ),
        (Cosine(per_language={"sw": {"floor": "low"}}), "schedule.per_language.sw.floor must be a float; got 'low'"),
        (Cosine(per_language={"sw": {"floor": True}}), "schedule.per_language.sw.floor must be a float; got True"),
        (Piecewise(per_language={"sw": {"points": 1}}), "schedule.per_language.sw.points must be a list; got 1"),
        (Piecewise(per_language={"sw": {"points": [1]}}), "schedule.per_language.sw.points must be pairs"),
    ],
)
def test_a_schedule_that_makes_no_sense_says_so(schedule, message):
    assert len(schedule.violations()) == 1 and message in schedule.violations()[0]


def test_a_language_can_have_settings_of_its_own_from_the_command_line(compose):
    made = compose(
        "+experiment=adamame_grpo", "schedule.per_language.ja.maximum=4", "schedule.per_language.th.floor=0.6"
    )
    check(made)
    controller = made.schedule.start()
    assert [controller.factor(0.5, code) for code in ("fr", "ja", "th")] == pytest.approx([1.0, 2.0, 1.2])


def test_a_language_can_have_settings_of_its_own_from_a_yaml(compose, tmp_path):
    (tmp_path / "schedule").mkdir()
    (tmp_path / "schedule" / "mine.yaml").write_text(
        "defaults:\n  - /schema/schedule/linear@_here_\n  - _self_\n\nfloor: 0\nper_language: {ja: {maximum: 4}}\n"
    )
    where = f"hydra.searchpath=[file://{tmp_path}]"
    made = compose(
        "+experiment=adamame_grpo",
        where,
        "schedule=mine",
        "schedule.per_language.ja.onset=0.25",
        "schedule.per_language.fr.maximum=1",
    )
    check(made)
    controller = made.schedule.start()
    # ja: 4 (0.5 - 0.25) / 0.75
    assert [controller.factor(0.5, code) for code in ("de", "ja", "fr")] == pytest.approx([1.0, 4 / 3, 0.5])


@pytest.mark.parametrize("name", choices("schedule"))
def test_every_schedule_takes_settings_by_language(compose, name):
    scope = ["schedule.scope=language"] if name == "lagrangian" else []
    made = compose("+experiment=adamame_grpo", f"schedule={name}", "schedule.per_language.ja.maximum=0", *scope)
    check(made)
    assert made.schedule.start().factor(1.0, "ja") == 0 and made.schedule.of("fr").maximum > 0


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.per_language.swa.maximum=4", "schedule.per_language: unknown language code 'swa'. Did you mean sw"),
        ("schedule.per_language.sw.maximun=4", "schedule.per_language.sw must name settings of the schedule: maximum"),
        ("schedule.per_language.sw.maximum=much", "schedule.per_language.sw.maximum must be a float; got 'much'"),
    ],
)
def test_a_mistake_in_settings_by_language_is_named(compose, override, message):
    with pytest.raises(ConfigError) as caught:
        check(compose("+experiment=adamame_grpo", override))
    assert message in str(caught.value)


def test_only_dictionaries_of_dictionaries_take_new_keys(compose):
    with pytest.raises(Exception, match="Could not override 'benchmark.weights.hihg'"):
        compose("+experiment=adamame_grpo", "benchmark=polymath", "benchmark.weights.hihg=8")


def test_languages_with_the_same_settings_share_a_curve():
    schedule = Linear(per_language={"sw": {"maximum": 4.0}, "fr": {"maximum": 2.0}, "th": {"maximum": 4}, "de": {}})
    assert list(apart(Linear(per_language={"fr": {"maximum": 2}}))) == ["every language"]
    assert {name: own.maximum for name, own in apart(schedule).items()} == {"every other language": 2, "sw, th": 4}


@pytest.mark.parametrize(
    "schedule",
    [
        *(kind() for kind in components("schedule").values()),
        Cosine(maximum=0.0),
        Step(floor=0.0, per_language={"sw": {"maximum": 4}, "th": {"at": 0.3}}),
        Feedback(per_language={"sw": {"maximum": 4}}),
        Lagrangian(scope="language", per_language={"sw": {"maximum": 1}}),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_every_schedule_can_be_previewed(schedule, tmp_path):
    preview(schedule, AdvantageSpec(), "a title", 60, tmp_path / "schedule.png")
    assert (tmp_path / "schedule.png").read_bytes().startswith(b"\x89PNG")


def test_the_overview_shows_every_yaml(tmp_path):
    schedules = every_yaml()
    assert sorted(schedules) == choices("schedule") and schedules["phased"].at == 0.7
    overview(schedules, tmp_path / "schedules.png")
    assert (tmp_path / "schedules.png").read_bytes().startswith(b"\x89PNG")


def test_a_preview_is_all_that_a_run_does_when_asked_for_one(tmp_path):
    command = ["+experiment=adamame_grpo", f"root={tmp_path}", "report.schedule_preview=true"]
    done = subprocess.run(
        [sys.executable, "-m", "src.run", *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    picture = directory_of(command) / "schedule.png"
    assert picture == tmp_path / "laptop" / "adamame_grpo" / "seed0" / "schedule.png"
    assert done.stdout.split() == [str(picture)]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [picture]


def test_a_preview_lies_beside_the_run_that_it_shows():
    overrides = ["+experiment=grpo", "schedule.maximum=4"]
    assert directory_of([*overrides, "report.schedule_preview=true"]) == directory_of(overrides)
