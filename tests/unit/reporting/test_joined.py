"""Which finished runs are seeds of one method, what methods are called, and where they began."""

import json

import pytest

from src.common.errors import UserError
from src.reporting.joined import directories, evaluated_differently, methods_of, model_of
from tests.helpers.finished import CONFIG, finished_run

RIGHT = {"fr": [1, 0], "en": [1, 1]}


def stage(folder, seed, start="", **inputs):
    """The folder of a stage that has made a model."""
    (folder / "model").mkdir(parents=True)
    note = {"inputs": {"seed": seed, "parent": f"model {seed}", **inputs}, "model": start}
    (folder / "inputs.json").write_text(json.dumps(note))
    return {"model": {"path": str(folder / "model")}}


def test_seeds_of_the_same_settings_are_one_method(tmp_path):
    runs = [finished_run(tmp_path / f"seed{seed}", RIGHT, seed=seed) for seed in (2, 1)]
    runs.append(finished_run(tmp_path / "other", RIGHT, method="sft", seed=1))
    assert [(method.name, method.runs) for method in methods_of(runs)] == [
        ("grpo", {2: runs[0], 1: runs[1]}),
        ("sft", {1: runs[2]}),
    ]


def test_methods_of_one_name_are_called_by_what_sets_them_apart(tmp_path):
    runs = [
        finished_run(tmp_path / f"seed0-{place}", RIGHT, settings={"schedule": {"maximum": value}})
        for place, value in (("0a", 1.0), ("0b", 4.0))
    ]
    assert [method.name for method in methods_of(runs)] == ["grpo (maximum 1)", "grpo (maximum 4)"]
    long = finished_run(tmp_path / "seed0-0c", RIGHT, settings={"schedule": {"maximum": "x" * 50}})
    assert methods_of([*runs, long])[2].name == "grpo-0c"


def test_seeds_that_began_with_models_of_one_recipe_are_one_method(tmp_path):
    """Each seed has its own pretraining and SFT; a run from a pretraining alone is another method."""
    runs = []
    for seed in (1, 2):
        first = stage(tmp_path / f"pretrain-{seed}", seed)
        then = stage(tmp_path / f"sft-{seed}", seed, start=first["model"]["path"], sft={"epochs": 3}, **first)
        runs.append(finished_run(tmp_path / f"seed{seed}-a", RIGHT, seed=seed, settings=then))
        runs.append(finished_run(tmp_path / f"seed{seed}-b", RIGHT, seed=seed, settings=first))
    methods = methods_of(runs)
    assert [(method.name, sorted(method.runs)) for method in methods] == [
        ("grpo (from sft)", [1, 2]),
        ("grpo (from pretrain)", [1, 2]),
    ]
    assert {method.model for method in methods} == {"world (small)"}
    stage(tmp_path / "sft-3", 3, start="org/model")
    assert model_of(CONFIG | {"model": {"path": str(tmp_path / "sft-3" / "model")}}) == "org/model"


def test_a_name_joins_runs_and_a_seed_is_there_once(tmp_path):
    runs = [
        finished_run(tmp_path / f"seed{seed}", RIGHT, seed=seed, settings={"schedule": {"maximum": seed}})
        for seed in (1, 2)
    ]
    (method,) = methods_of(runs, dict.fromkeys(runs, "Dr. GRPO"))
    assert method.name == "Dr. GRPO" and sorted(method.runs) == [1, 2]
    again = finished_run(tmp_path / "copy", RIGHT, seed=2)
    with pytest.raises(UserError, match=r"Dr. GRPO: each seed must be there once; .* are both 2"):
        methods_of([*runs, again], dict.fromkeys([*runs, again], "Dr. GRPO"))


def test_another_way_of_answering_is_said(tmp_path):
    runs = [
        finished_run(tmp_path / name, RIGHT, method=name, settings={"rollout": {"maximum_new_tokens": budget}})
        for name, budget in (("a", 96), ("b", 128), ("c", 96))
    ]
    assert evaluated_differently(methods_of(runs)) == [
        "not evaluated alike: rollout.maximum_new_tokens is 96 in a, c; 128 in b"
    ]


def test_what_is_no_run_directory_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is none. Finish its evaluation"):
        directories(tmp_path)
    run = finished_run(tmp_path / "seed1", RIGHT)
    assert directories(tmp_path) == [run]
    (run / "config.yaml").unlink()
    with pytest.raises(UserError, match=r"a run must be a directory with config.yaml"):
        directories(run)
