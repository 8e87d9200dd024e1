"""All arms of a set are looked at before the first run of it starts."""

import pytest

from src.common.errors import ConfigError
from src.orchestration.arms import RunsSpec
from src.orchestration.jobs import Runs
from src.orchestration.preflight import preflight


@pytest.fixture
def runs(overrides, tmp_path):
    """`runs(*entries)`: a set of runs on the tiny world, from a random model."""
    own = [text for text in overrides if not text.startswith(("scale=", "root="))]
    return lambda *entries: Runs(RunsSpec("t", list(entries), overrides=own), "tiny", str(tmp_path / "runs"))


def test_arms_that_can_run_pass_once_whether_or_not_they_build_on_others(runs):
    select = {"name": "select", "experiment": "prompts", "from": "sft"}
    sources = [
        "prompts.sources=[world@train]",
        "prompts.against=[]",
        "prompts.difficulty.rollouts=4",
        "prompts.problems=2",
    ]
    arms = runs(
        "sft",
        select | {"overrides": sources},
        {"name": "x", "experiment": "grpo", "from": "sft", "data_from": "select"},
    )
    assert preflight(arms).startswith("preflight: 3 runs a seed can run (")
    assert preflight(arms) == ""


def test_what_is_wrong_is_listed_with_the_arms_it_is_wrong_in(runs):
    long = {"experiment": "grpo", "overrides": ["rollout.maximum_new_tokens=1020"]}
    later = {
        "name": "later",
        "experiment": "grpo",
        "from": "base arm",
        "overrides": ["rollout.maximum_new_tokens=1020"],
    }
    arms = runs(long | {"name": "a"}, long | {"name": "b"}, {"name": "base arm", "experiment": "sft"}, later)
    with pytest.raises(ConfigError) as caught:
        preflight(arms)
    lines = str(caught.value).split("\n  - ")[1:]
    assert all("context of 1024 tokens" in line for line in lines)
    named = " ".join(line.rpartition(". ")[2] for line in lines)
    assert all(name in named for name in ("a, b", "later")) and "base arm" not in named


def test_a_configuration_that_cannot_run_is_listed_too(runs):
    wrong = {"name": "wrong", "experiment": "grpo", "overrides": ["grpo.completions_per_prompt=1"]}
    with pytest.raises(ConfigError, match=r"grpo.completions_per_prompt must be at least 2.*\(wrong\)"):
        preflight(runs("sft", wrong))
