"""Configurations of tests, composed as `python -m src.run` composes them; the fixture `compose` is the function here."""

from __future__ import annotations

from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from src.common.registry import CONF
from src.config.checks import check
from src.config.compose import build, register
from src.config.schema import Config

HERE = Path(__file__).resolve()
# The files that experiments on real models ask the user for; that they exist is all that composing needs.
FILES = (f"data.sft={HERE}", f"data.prompts={HERE}", f"benchmark.path={HERE.parent}")


def compose_node(*overrides: str) -> DictConfig:
    """What Hydra composes, before it is built.

    Raises:
        HydraException: it cannot be composed.
    """
    register()
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra.compose("config", overrides=list(overrides))


def compose(*overrides: str) -> Config:
    """The built configuration; nothing is checked, so that a test can hand a wrong one to `check`."""
    return build(compose_node(*overrides))


def prepare(tmp_path: Path, *overrides: str) -> tuple[Config, Path]:
    """The checked configuration of a run and its new directory, which holds `config.yaml`."""
    node = compose_node(*overrides)
    built = build(node)
    check(built)
    directory = tmp_path / "run"
    directory.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(node, directory / "config.yaml", resolve=True)
    return built, directory
