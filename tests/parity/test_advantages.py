"""Every variant of advantages.json, from the yaml that a run of it uses."""

import dataclasses
import functools

import pytest
import torch

from src.algorithm.advantages import advantages
from src.algorithm.schedules.base import Observed
from src.config.compose import composed
from tests.helpers.golden import golden

ENTRIES = golden("advantages.json")
EXPERIMENT = {"align": "adamame_grpo", "adamame": "adamame_diversity"}  # the others have their own name
WITHOUT_BONUS = ("allcorrect",)  # its language term is N(m), whatever B


@functools.cache
def config_of(variant):
    """The configuration of a run of the variant."""
    return composed([f"+experiment={EXPERIMENT.get(variant, variant)}"])


def schedule_of(variant, case):
    """Its schedule, with the bonus of the case."""
    schedule = config_of(variant).schedule
    if variant not in WITHOUT_BONUS:
        schedule = dataclasses.replace(schedule, maximum=case["bonus"])
    if variant == "staged":  # its second stage begins at step T // 2
        schedule = dataclasses.replace(schedule, at=(case["total_steps"] // 2) / case["total_steps"])
    return schedule


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["variant"] for entry in ENTRIES])
def test_advantages(entry):
    assert entry["cases"]
    for case in entry["cases"]:
        steps = case.get("sequence", [case])
        spec = config_of(entry["variant"]).objective.advantage
        controller = schedule_of(entry["variant"], steps[0]).start()
        for step in steps:
            progress, query = step["step"] / step["total_steps"], step["query_languages"]
            controller.observe(Observed(step["rewards"], step["reasoning_languages"], query, step["groups"]))
            result = advantages(
                spec,
                rewards=step["rewards"],
                reasoning=step["reasoning_languages"],
                query=query,
                groups=step["groups"],
                factor=torch.tensor([controller.factor(progress, code) for code in query], dtype=torch.float64),
                exploration=torch.tensor([controller.exploration(progress, code) for code in query]),
            )
            assert result.advantage.tolist() == pytest.approx(step["advantages"], abs=1e-4)
