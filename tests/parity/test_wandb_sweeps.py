"""Beside W&B's own engine for sweeps, where it is installed: our files are valid to it, and hyperband stops the same trials.

It asks for numpy below 2 and works with a newer one: `pip install --no-deps sweeps==0.3.0 jsonschema jsonref scikit-learn`.
"""

import importlib

import numpy
import pytest
import yaml

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
]


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
