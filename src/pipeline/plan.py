"""Which stages a run has, where each works, and what its result depends on.

Stages that several methods share (pre-training, SFT) live in `<root>/<scale>/shared/`, under a hash of everything
they depend on: arms of one experiment find the same folder and the work is done once.
"""

from __future__ import annotations

import hashlib
import operator
from pathlib import Path
from typing import Any

from src.common.errors import ConfigError
from src.common.identity import plain, short_hash
from src.common.registry import CONF
from src.config.schema import Config
from src.config.unchanging import CHANGE_NOTHING, MEASURED_ON_THE_WAY, is_among
from src.data import sources
from src.models.fingerprint import fingerprint
from src.models.spec import WORLD_BASE
from src.pipeline.merging import merge_inputs
from src.pipeline.prompting import prompt_inputs
from src.pipeline.stage import Planned, module_of
from src.store.directory import SHARED
from src.store.provenance import scoring

SHIPPED = CONF.parent / "experiments" / "base_model"
LEFT_OUT = CHANGE_NOTHING | MEASURED_ON_THE_WAY
DATA_FILES = ("data.sft", "data.validation", "data.prompts", "data.samples", "services.references")


def plan(config: Config, run_directory: Path) -> list[Planned]:
    """The stages of a run in order. Raises `ConfigError` when there is no model to start from."""
    shared = Path(config.root) / config.scale / "shared"
    model, parent = _start(config) if _needs_model(config) else ("", "nothing")
    start = model
    planned = []
    for name in stages(config):
        declared = module_of(name).declare(config)
        inputs = {key: value_of(config, key) for key in declared.inputs} | {"parent": parent}
        if name == "merge":
            inputs["merge"] = merge_inputs(config, model)
        if declared.prompts:
            inputs["prompt"] = prompt_inputs(config.model, start)
        if declared.scored:
            inputs["scoring"] = scoring()
        identity = short_hash(inputs)
        directory = shared / f"{name}-{identity}" if name in SHARED else run_directory / name
        stage = Planned(name, directory, identity, inputs, model, declared.split)
        parent = identity  # each stage depends on those before it, the report on the evaluation
        if declared.makes_model:
            model = str(stage.result)
        planned.append(stage)
    return planned


def stages(config: Config) -> list[str]:
    """The stages of a run: the experiment's, after `pretrain` when the run makes its own base model."""
    own = config.pretrain.from_scratch and "pretrain" not in config.stages and _needs_model(config)
    return (["pretrain"] if own else []) + list(config.stages)


def _needs_model(config: Config) -> bool:
    """Whether a stage of the run works with the model that the run starts from."""
    for declared in (module_of(name).declare(config) for name in config.stages):
        if declared.model or declared.makes_model:
            return declared.model
    return False


def shipped_base(world: str) -> Path:
    """The folder of the base model that comes with the repository for a world size (it may not exist)."""
    return SHIPPED / f"base_{world}"


def _start(config: Config) -> tuple[str, str]:
    """The model the first stage starts from, and what identifies it."""
    path = config.model.path
    if path != WORLD_BASE:
        return path, f"{Path(path).name} {fingerprint(Path(path))}" if Path(path).is_dir() else path
    if "pretrain" in stages(config):
        return "", "nothing"
    folder = shipped_base(config.world.name)
    if not (folder / "model.safetensors").is_file():
        raise ConfigError(
            f"no base model comes with world={config.world.name}: make one first with pretrain.from_scratch=true"
        )
    return str(folder), hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16]


def value_of(config: Config, key: str) -> Any:
    """What a result depends on when it depends on the setting `key`; a file of data by what is in it, wherever it lies, and
    nothing of what changes no result."""
    value = operator.attrgetter(key)(config)
    if key in DATA_FILES and value is not None:
        return sources.identity(config.data, value)
    return _counted(plain(value), key)


def _counted(value: Any, key: str) -> Any:
    """`value` without the settings in it that change nothing."""
    if not isinstance(value, dict):
        return value
    inner = {name: f"{key}.{name}" for name in value}
    return {name: _counted(value[name], inner[name]) for name in value if not is_among(inner[name], LEFT_OUT)}
