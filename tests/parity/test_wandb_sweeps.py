"""Beside W&B's own engine for sweeps, where it is installed: files are valid or not to both, distributions have the same
quantiles, and hyperband stops the same trials.

It asks for numpy below 2 and works with a newer one: so beside the project's packages
`pip install jsonschema jsonref scikit-learn`, then `pip install --no-deps sweeps==0.3.0`.
"""

import importlib

import numpy
import pytest
import yaml

from src.common.errors import UserError
from src.orchestration.sweep.file import read
from src.orchestration.sweep.hyperband import trials_to_stop
from tests.helpers.paths import ROOT

pytest.importorskip("sweeps.config", reason="W&B's engine for sweeps is not installed")  # `sweeps` is our folder too
engine = importlib.import_module("sweeps")
FILES = sorted((ROOT / "sweeps").glob("*.yaml"))
BANDS = [
    {"min_iter": 1, "eta": 2},
    {"min_iter": 2, "eta": 3},
    {"min_iter": 3},
    {"max_iter": 9, "s": 2},
    {"max_iter": 12, "s": 3, "eta": 2},
    {"min_iter": 1, "eta": 3, "strict": True},
    {"min_iter": 2, "eta": 1.3},
    {"min_iter": 2, "max_iter": 12, "s": 2, "eta": 2},
    {"min_iter": 2, "max_iter": 11, "s": 2, "eta": 1.7},
]
DISTRIBUTIONS = [
    {"distribution": "normal", "mu": 1.5, "sigma": 0.5},
    {"distribution": "q_normal", "mu": 3, "sigma": 2, "q": 0.25},
    {"distribution": "log_normal", "mu": -1, "sigma": 0.3},
    {"distribution": "q_log_normal", "mu": 2.0, "sigma": 1.0, "q": 2},
    {"distribution": "beta", "a": 2, "b": 5},
    {"distribution": "q_beta", "a": 2, "b": 2, "q": 0.1},
    {"distribution": "q_log_uniform_values", "min": 4, "max": 300, "q": 8},
    {"distribution": "q_uniform", "min": 0.3, "max": 2.2, "q": 0.5},
    {"distribution": "normal"},
    {"distribution": "q_normal"},
    {"distribution": "beta"},
    {"values": ["x", "y", "z"], "probabilities": [0.2, 0.5, 0.3]},
]
# Changes of a file -> whether it is one.
JUDGED = [
    ({"parameters": {"a": {"distribution": "inv_log_uniform_values", "min": 0.1, "max": 1.0}}}, True),
    ({"parameters": {"a": {"distribution": "log_uniform", "min": 1, "max": 2}}}, False),
    ({"parameters": {"a": {"distribution": "log_uniform_values", "min": 0, "max": 2}}}, False),
    ({"parameters": {"a": {"distribution": "q_beta", "q": 0}}}, False),
    ({"parameters": {"a": {"min": 2, "max": 2}}}, False),
    ({"parameters": {"a": {"mu": 1}}}, False),
    ({"parameters": {"a": {"values": [1, 2], "probabilities": [0.5, 0.6]}}}, False),
    ({"parameters": {"a": {"values": [1, 2], "probabilities": [1.0]}}}, False),
    ({"parameters": {"a": {"parameters": {"b": {"value": 1}}}}}, True),
    ({"parameters": {"a": {"parameters": {}}}}, False),
    ({"parameters": {"a": {"parameters": {"b": {"value": 1}}, "value": 2}}}, False),
    ({"parameters": {"a": {"value": "You're"}}}, True),
    ({"method": "random", "metric": None, "early_terminate": None}, True),
    ({"metric": {"name": "dev/accuracy", "target": 0.5}}, True),
    ({"metric": {"name": "dev/accuracy", "target": "0.5"}}, False),
    ({"early_terminate": {"type": "hyperband", "min_iter": 0}}, False),
    ({"early_terminate": {"type": "hyperband", "max_iter": 9}}, False),
    ({"early_terminate": {"type": "hyperband", "min_iter": 3, "max_iter": 9, "s": 1}}, True),
    ({"name": "a", "description": "b", "project": "c", "entity": "d", "run_cap": 4, "kind": "sweep"}, True),
    ({"name": 3}, False),
    ({"run_cap": 0}, False),
    ({"controller": {"type": "local"}}, True),
    ({"unheard": 1}, False),
]


def write(tmp_path, changes):
    """A file of ours with changes, None leaving a field out."""
    content = yaml.safe_load((ROOT / "sweeps" / "alignment_factor.yaml").read_text()) | changes
    content = {key: value for key, value in content.items() if value is not None}
    path = tmp_path / "some.yaml"
    path.write_text(yaml.safe_dump(content))
    return path, content


@pytest.mark.parametrize(("changes", "good"), JUDGED, ids=str)
def test_files_are_good_or_not_to_both(tmp_path, changes, good):
    from sweeps.config import schema_violations_from_proposed_config

    path, content = write(tmp_path, changes)
    assert (schema_violations_from_proposed_config(content) == []) == good
    if good:
        read(path)
    else:
        with pytest.raises(UserError):
            read(path)


@pytest.mark.parametrize("entry", DISTRIBUTIONS, ids=str)
def test_distributions_have_the_same_quantiles(tmp_path, entry):
    (parameter,) = read(write(tmp_path, {"parameters": {"a": entry}})[0]).parameters
    theirs = importlib.import_module("sweeps.params").HyperParameter("a", entry)
    for share in numpy.linspace(0.003, 0.997, 71):
        value, text = theirs.ppf(share), parameter.text(float(share))
        assert text == value if parameter.options else float(text) == pytest.approx(float(value), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_are_valid_and_searched_over_the_same_settings(path):
    from sweeps.config import schema_violations_from_proposed_config

    content, ours = yaml.safe_load(path.read_text()), read(path)
    assert schema_violations_from_proposed_config(content) == []
    theirs = {name: entry["value"] for name, entry in engine.next_run(content, []).config.items()}
    assert set(theirs) == {parameter.name for parameter in ours.parameters}
    for parameter in ours.parameters:
        value = theirs[parameter.name]
        if parameter.options:
            assert str(value) in parameter.options or f"{value:.6g}" in parameter.options
        else:
            assert parameter.low <= value <= parameter.high


@pytest.mark.parametrize("bands", BANDS, ids=str)
@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_hyperband_stops_the_same_trials(tmp_path, bands, goal):
    content = yaml.safe_load(FILES[0].read_text()) | {"early_terminate": {"type": "hyperband"} | bands}
    content["metric"] = {"name": "dev/accuracy", "goal": goal}
    (tmp_path / "some.yaml").write_text(yaml.safe_dump(content))
    early, random = read(tmp_path / "some.yaml").early, numpy.random.default_rng(0)
    assert early is not None
    for _ in range(40):
        values = {k: list(random.random(random.integers(0, 14)).round(1)) for k in range(random.integers(1, 9))}
        running = [k for k in values if random.random() < 0.6]
        runs = [
            engine.SweepRun(
                name=str(k), state="running" if k in running else "finished", history=[{"dev/accuracy": v} for v in own]
            )
            for k, own in values.items()
        ]
        theirs = sorted(int(run.name) for run in engine.stop_runs(content, runs))
        assert sorted(trials_to_stop(early, goal, values, running)) == theirs
