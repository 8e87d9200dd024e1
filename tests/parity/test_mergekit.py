"""Merged models beside mergekit's, where it is installed (extra `bench`): linear, task arithmetic, TIES, layers of two models."""

import pytest
from safetensors.torch import load_file

from src.models.merge.accept import merge_models
from src.models.merge.checkpoint import Checkpoint
from src.models.merge.layer_swap import LayerSwap
from src.models.merge.linear import Linear
from src.models.merge.task_arithmetic import TaskArithmetic
from src.models.merge.ties import Ties
from tests.helpers.models import drifted
from tests.helpers.paths import ROOT

pytest.importorskip("mergekit.merge", reason="mergekit is not installed; `make bench` installs it (extra `bench`)")
BASE = ROOT / "experiments/base_model/base_small"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two models that have moved from the base model."""
    return [drifted(BASE, tmp_path_factory.mktemp("models") / f"model-{seed}", seed) for seed in range(2)]


def theirs(settings, folder):
    from mergekit.config import MergeConfiguration
    from mergekit.merge import MergeOptions, run_merge

    run_merge(MergeConfiguration.model_validate(settings | {"dtype": "float32"}), str(folder), MergeOptions())
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


def ours(rule, folders, folder):
    merge_models(rule, [Checkpoint.of(path) for path in folders], Checkpoint.of(BASE), folder)
    return load_file(folder / "model.safetensors")


def listed(folders, **parameters):
    return [
        {"model": str(path), "parameters": {name: values[n] for name, values in parameters.items()}}
        for n, path in enumerate(folders)
    ]


def layers(first, last, path):
    return {"sources": [{"model": str(path), "layer_range": [first, last]}]}


def cases(folders):
    maths, language = folders
    based = {"base_model": str(BASE)}
    return {
        "linear": (
            Linear(weights=[1.0, 3.0]),
            {"merge_method": "linear", "models": listed(folders, weight=[1.0, 3.0])},
        ),
        "task_arithmetic": (
            TaskArithmetic(weights=[0.5, 1.0], scale=0.7),
            based
            | {
                "merge_method": "task_arithmetic",
                "models": listed(folders, weight=[0.5, 1.0]),
                "parameters": {"lambda": 0.7, "normalize": False},
            },
        ),
        "ties": (
            Ties(weights=[1.0, 2.0], scale=0.7, density=0.3),
            based
            | {
                "merge_method": "ties",
                "models": listed(folders, weight=[1.0, 2.0], density=[0.3, 0.3]),
                "parameters": {"lambda": 0.7, "normalize": True},
            },
        ),
        "layer_swap": (
            LayerSwap(bottom=1, top=1, transition_bottom=0, transition_top=0),
            {
                "merge_method": "passthrough",
                "slices": [layers(0, 1, language), layers(1, 3, maths), layers(3, 4, language)],
            },
        ),
    }


@pytest.mark.parametrize("name", ["linear", "task_arithmetic", "ties", "layer_swap"])
def test_every_tensor_is_that_of_mergekit(folders, tmp_path, name):
    rule, settings = cases(folders)[name]
    mine, other = ours(rule, folders, tmp_path / "ours"), theirs(settings, tmp_path / "theirs")
    compared = [
        key for key in mine if name != "layer_swap" or ".layers." in key
    ]  # mergekit's ends are of the outer slices
    assert len(compared) > 40
    worst = max(float((mine[key] - other[key]).abs().max()) for key in compared)
    print(f"{name}: largest difference {worst:.1e}")
    assert worst < 1e-6
