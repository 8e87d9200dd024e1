"""Sweeps: every value of every parameter composes, and the metric is one that is logged."""

from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from src import config
from src.reporting.glossary import require

ROOT = Path(__file__).resolve().parents[2]
config.register()


@pytest.mark.parametrize("path", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_value_of_a_sweep_composes(path):
    sweep = yaml.safe_load(path.read_text())
    require(sweep["metric"]["name"])
    fixed = [part for part in sweep["command"] if "=" in part]
    for name, options in sweep["parameters"].items():
        for value in options.get("values") or [options["min"], options["max"]]:
            with initialize_config_dir(str(config.CONF), version_base="1.3"):
                built = config.build(compose("config", overrides=[*fixed, f"{name}={value}"]))
            config.check(built)
