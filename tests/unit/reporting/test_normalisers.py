"""docs/objectives.md: its numbers by hand, its names, and its picture."""

import math
import re
from pathlib import Path

import pytest

from src.algorithm.advantages import advantages
from src.algorithm.spec import DiversitySpec
from src.commands.normalisers import PICTURE
from src.common.registry import CONF, choices
from src.reporting.normalisers import AT_ONCE, GROUPS, GROWS, NORMALISERS, NOTHING, by_kind, draw, verdict

DOC = (CONF.parent / "docs" / "objectives.md").read_text()
STD, MEAN, LEAVE_ONE_OUT, STRATIFIED, TWO_REWARDS = NORMALISERS.values()
ALL_RIGHT, ALL_IN, IN_OR_WRONG, THREE_LEVELS, FEW_RIGHT, ALL_WRONG = GROUPS
EDGE = math.sqrt(7 / 8)  # two levels of four: half a step over the unbiased deviation, step / 2 x sqrt(8 / 7)
FACTORS = (0.2, 1.0, 2.0, 4.0)


def test_the_number_of_the_document():
    assert pytest.approx(0.935, abs=5e-4) == EDGE and "+-0.935 (the root of 7/8)" in DOC


@pytest.mark.parametrize("b", FACTORS)
def test_all_right_and_half_in_the_language(b):
    for spec, height in (
        (STD, EDGE),
        (MEAN, b / 2),
        (LEAVE_ONE_OUT, 4 * b / 7),
        (STRATIFIED, 0.0),
        (TWO_REWARDS, EDGE * b),
    ):
        expected = {"right, in": height, "right, other": -height}
        assert by_kind(spec, ALL_RIGHT, b) == pytest.approx(expected, abs=1e-4)
        assert by_kind(spec, ALL_RIGHT, 0.0) == pytest.approx(dict.fromkeys(expected, 0.0))


@pytest.mark.parametrize("b", FACTORS)
def test_groups_of_one_kind_and_all_wrong_groups(b):
    for spec in NORMALISERS.values():
        assert by_kind(spec, ALL_IN, b) == pytest.approx({"right, in": 0.0})
        height = EDGE * b if spec is TWO_REWARDS else 0.0
        assert by_kind(spec, ALL_WRONG, b) == pytest.approx({"wrong, in": height, "wrong, other": -height}, abs=1e-4)


@pytest.mark.parametrize("b", (0.0, *FACTORS))
def test_the_right_ones_in_the_language_and_the_wrong_ones_not(b):
    for spec, height in (
        (STD, EDGE),
        (MEAN, (1 + b) / 2),
        (LEAVE_ONE_OUT, 4 * (1 + b) / 7),
        (STRATIFIED, 0.0),
        (TWO_REWARDS, EDGE * (1 + b)),
    ):
        expected = {"right, in": height, "wrong, other": -height}
        assert by_kind(spec, IN_OR_WRONG, b) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("b", (0.0, *FACTORS))
def test_three_levels(b):
    pulls = by_kind(MEAN, THREE_LEVELS, b)
    wrong = -(3 / 4 + 3 * b / 8)
    assert pulls == pytest.approx(
        {"right, in": 1 / 4 + 5 * b / 8, "right, other": 1 / 4 - 3 * b / 8, "wrong, in": wrong, "wrong, other": wrong}
    )
    few = by_kind(MEAN, FEW_RIGHT, b)
    assert (few["right, in"], few["right, other"]) == pytest.approx((3 / 4 + 7 * b / 8, 3 / 4 - b / 8))
    assert few["wrong, in"] == pytest.approx(-(2 + b) / 8)


def test_three_levels_over_their_deviation():
    # Scores 5, 5, 5, 1, 1, 1, 0, 0: mean 9/4, squares 3 (11/4)^2 + 3 (5/4)^2 + 2 (9/4)^2 = 75/2, over 7.
    deviation = math.sqrt(75 / 14)
    pulls = by_kind(STD, THREE_LEVELS, 4.0)
    assert pulls["right, in"] == pytest.approx(11 / 4 / deviation, abs=1e-4)
    assert pulls["right, other"] == pytest.approx(-0.540, abs=5e-4)  # -(5/4) / 2.3146
    assert by_kind(STD, THREE_LEVELS, 0.0)["right, other"] == pytest.approx(0.540, abs=5e-4)  # (1/4) / sqrt(3/14)
    assert by_kind(STD, THREE_LEVELS, 2 / 3)["right, other"] == pytest.approx(0.0, abs=1e-5)
    assert by_kind(MEAN, FEW_RIGHT, 6.0)["right, other"] == pytest.approx(0.0, abs=1e-5)


def test_what_the_panels_say():
    said = [[verdict(spec, group) for group in GROUPS] for spec in NORMALISERS.values()]
    grows = [GROWS, NOTHING, GROWS, GROWS, GROWS, NOTHING]
    assert said == [
        [AT_ONCE, NOTHING, NOTHING, GROWS, GROWS, NOTHING],
        grows,
        grows,
        [NOTHING] * 6,
        [GROWS, NOTHING, GROWS, GROWS, GROWS, GROWS],
    ]


def test_stratified_a_rollout_alone_in_its_language_feels_the_factor():
    def alone(b):
        result = advantages(STRATIFIED, [1.0, 0, 0, 0], ["fr", "en", "en", "en"], ["fr"] * 4, [0] * 4, b, 0.0)
        two = advantages(STRATIFIED, [1.0, 1, 0, 0], ["fr", "en", "en", "en"], ["fr"] * 4, [0] * 4, b, 0.0)
        return float(result.advantage[0]), float(two.advantage[0])

    assert alone(0.0) == pytest.approx((1.5, math.sqrt(3) / 2), abs=1e-4)
    # Scores 3, 1, 0, 0: mean 1, squares 4 + 1 + 1 over 3; two levels stay as they were.
    assert alone(2.0) == pytest.approx((1.5, math.sqrt(2)), abs=1e-4)


def test_the_picture_shows_objectives_that_exist(compose):
    for name, spec in {
        "adamame": STD,
        "adamame_mean": MEAN,
        "strat": STRATIFIED,
        "tworwd": TWO_REWARDS,
    }.items():
        built = compose("+experiment=grpo", f"objective={name}")
        advantage = built.objective.advantage
        assert (advantage.normaliser, advantage.within, advantage.alignment) == (
            spec.normaliser,
            spec.within,
            spec.alignment,
        )
        assert name == "strat" or advantage.diversity == DiversitySpec()


def test_the_picture_is_drawn(tmp_path):
    draw(tmp_path / "new" / "normalisers.png")
    assert (tmp_path / "new" / "normalisers.png").read_bytes().startswith(b"\x89PNG")
    assert PICTURE.is_file(), "run make normalisers-doc"


def rows():
    """(experiment, objective, schedule) of every row of the tables of variants; schedule is None for a dash."""
    matches = re.findall(r"^\| `(\w+)`[^|]*\|.*\| `(\w+)` \| (?:`(\w+)`|-) \|$", DOC, re.MULTILINE)
    return [(experiment, objective, schedule or None) for experiment, objective, schedule in matches]


def test_the_tables_name_every_objective():
    assert {objective for _, objective, _ in rows()} == set(choices("objective"))


@pytest.mark.parametrize(("experiment", "objective", "schedule"), sorted(set(rows()), key=str))
def test_an_experiment_has_the_objective_and_the_schedule_of_its_row(experiment, objective, schedule):
    text = (CONF / "experiment" / f"{experiment}.yaml").read_text()
    overridden = dict(re.findall(r"- override /(\w+): (\w+)", text))
    assert (overridden["objective"], overridden.get("schedule")) == (objective, schedule)


def test_every_experiment_of_reinforcement_learning_has_a_row_here_or_among_the_neighbours():
    neighbours = set(
        re.findall(r"^\| [^|]+ \| `(\w+)` \|", (CONF.parent / "docs" / "neighbours.md").read_text(), re.MULTILINE)
    )
    learning = {
        name
        for name in choices("experiment")
        if "override /objective" in (CONF / "experiment" / f"{name}.yaml").read_text()
    }
    here = {experiment for experiment, _, _ in rows()}
    assert here <= learning
    assert learning - neighbours <= here


def test_whatever_else_the_document_names_exists():
    for name in re.findall(r"\+experiment=(\w+)", DOC):
        assert name in choices("experiment")
    for name in re.findall(r"(?<!\.)\bobjective=(\w+)", DOC):
        assert name in choices("objective")
    for name in re.findall(r"(?<!\.)\bschedule=(\w+)", DOC):
        assert name in choices("schedule")
    for path, name in re.findall(r"`((?:src|tests)/[\w/]+\.py)(?:::(\w+))?`", DOC):
        source = Path(CONF.parent / path).read_text()
        assert not name or f"def {name}(" in source


def test_the_pull_of_each_group_at_the_critical_bonus():
    # B* = 5. Scores 6, 0, 0 in and 1 out: 6 - 3 x 7/4; scores 0 in and 1, 1, 1 out: 0 - 3/4.
    for rewards, reasoning, expected in (
        ([1.0, 0.0, 0.0, 1.0], ["fr", "fr", "fr", "en"], 3 / 4),
        ([0.0, 1.0, 1.0, 1.0], ["fr", "en", "en", "en"], -3 / 4),
    ):
        pulls = advantages(MEAN, rewards, reasoning, ["fr"] * 4, [0] * 4, 5.0, 0.0).advantage
        assert sum(a for a, r in zip(pulls.tolist(), reasoning, strict=True) if r == "fr") == pytest.approx(expected)
