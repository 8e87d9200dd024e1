"""docs/neighbours.md says of every arm of the study, and of every method's yaml, where it is from and what is ours."""

import re

from src.common.registry import choices
from src.orchestration.arms import RunsSpec
from tests.helpers.paths import ROOT

PAGE = (ROOT / "docs" / "neighbours.md").read_text()
STUDY = ROOT / "experiments" / "neighbours"
MIXES = ROOT / "experiments" / "mixes"


def column(head):
    """The cells of all columns with this head, over the tables of the page."""
    cells = []
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, flags=re.MULTILINE):
        rows = [
            [cell.strip() for cell in line.strip("|").split(" | ")]
            for line in table.replace("| \n", "|\n").splitlines()
        ]
        cells += [row[rows[0].index(head)] for row in rows[2:]] if head in rows[0] else []
    return cells


def named(head):
    """The names in backticks in such columns."""
    return [name for cell in column(head) for name in re.findall(r"`([\w=]+)`", cell)]


def test_every_arm_has_a_row():
    arms = [arm.name for study in (STUDY, MIXES) for arm in RunsSpec.read(study / "runs.yaml").arms()]
    listed = {name for cell in column("arm") for name in (cell, *cell.split("; "), *cell.split(", "))}
    assert [name for name in arms if name not in listed] == []


def test_every_choice_has_a_row():
    for group in ("reward", "merge", "mix", "selector", "strategy"):
        assert set(choices(group)) == set(named(f"`{group}=`")), group


def test_every_row_of_a_method_says_source_theirs_and_ours():
    for head in ("source", "theirs", "ours"):
        assert len(column(head)) >= 30
        assert all(column(head)), head


def test_rows_name_the_experiments_and_rewards_of_the_arms():
    arms = {arm.experiment for arm in RunsSpec.read(STUDY / "runs.yaml").arms()}
    assert arms - {"merge"} <= set(named("`+experiment=`")) <= set(choices("experiment"))
    assert set(named("`reward=`")) <= set(choices("reward"))
