"""Which stages a run has, where each works, and what its result depends on.

Stages that several methods share (pre-training, SFT) live in `<root>/<scale>/shared/`, under a hash of everything
they depend on: arms of one experiment find the same folder and the work is done once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from src.common.errors import ConfigError
from src.common.registry import CONF
from src.config.schema import Config
from src.config.stages import EvaluationSpec
from src.data.benchmarks.base import Benchmark, content_hash
from src.data.selection.spec import PromptsSpec
from src.data.traces.spec import TracesSpec
from src.models.spec import WORLD_BASE
from src.pipeline.stage import Planned
from src.rollout.spec import RolloutSpec
from src.store.directory import DATA_STAGES, SHARED
from src.store.provenance import scoring

SHIPPED = CONF.parent / "experiments" / "base_model"

# What each stage's result depends on, beside the model it starts from.
INPUTS: dict[str, tuple[str, ...]] = {
    "traces": ("seed", "traces", "data.instruction", "world", "detector", "grader", "model.thinks"),
    "prompts": ("seed", "prompts", "world", "grader"),
    "pretrain": ("seed", "world", "pretrain", "sft.tokens_per_microbatch"),
    "sft": ("seed", "data.sft", "data.validation", "data.validation_share", "data.instruction", "world", "sft", "model"),
    "grpo": (
        "seed", "data.prompts", "data.instruction", "world", "grpo", "objective", "schedule", "reward", "rollout", "detector", "grader", "model",
    ),
    "evaluate": (
        "seed", "benchmark", "data.instruction", "world", "evaluation", "rollout", "detector", "grader", "model.thinks",
        "model.think",
    ),
    "report": ("method",),
}  # fmt: skip
ROLLED_OUT = ("rollout", "data.instruction", "model")  # and of `prompts`, where a model decides what is too hard
SCORED = ("traces", "prompts", "evaluate")
DATA_FILES = ("data.sft", "data.validation", "data.prompts")


def plan(config: Config, run_directory: Path) -> list[Planned]:
    """The stages of a run in order. Raises `ConfigError` when there is no model to start from."""
    shared = Path(config.root) / config.scale / "shared"
    model, parent = _start(config) if _needs_model(config) else ("", "nothing")
    planned = []
    for name in stages(config):
        inputs = {key: _plain(_get(config, key)) for key in _inputs(config, name)} | {"parent": parent}
        if name in SCORED:
            inputs["scoring"] = scoring()
        identity = _hash(inputs)
        directory = shared / f"{name}-{identity}" if name in SHARED else run_directory / name
        stage = Planned(name, directory, identity, inputs, model)
        parent = identity  # each stage depends on those before it, the report on the evaluation
        if name in ("pretrain", "sft", "grpo"):
            model = str(stage.result)
        planned.append(stage)
    return planned


def stages(config: Config) -> list[str]:
    """The stages of a run: the experiment's, after `pretrain` when the run makes its own base model."""
    own = config.pretrain.from_scratch and "pretrain" not in config.stages and _needs_model(config)
    return (["pretrain"] if own else []) + list(config.stages)


def _needs_model(config: Config) -> bool:
    """Whether a stage of the run works with a model of ours."""
    rolled_out = "prompts" in config.stages and config.prompts.difficulty.rollouts > 0
    return rolled_out or any(stage not in DATA_STAGES for stage in config.stages)


def _inputs(config: Config, name: str) -> tuple[str, ...]:
    rolled_out = name == "prompts" and config.prompts.difficulty.rollouts > 0
    return INPUTS[name] + (ROLLED_OUT if rolled_out else ())


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


def fingerprint(folder: Path) -> str:
    """A short hash of the files of a model folder: their sizes, and of each up to 64 samples of 64 KiB."""
    sums = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.suffix in (".safetensors", ".json", ".bin")):
        size = file.stat().st_size
        sums.update(f"{file.name} {size}".encode())
        with file.open("rb") as handle:
            for place in range(0, size, max(65_536, size // 64)):
                handle.seek(place)
                sums.update(handle.read(65_536))
    return sums.hexdigest()[:16]


def _get(config: Config, dotted: str) -> Any:
    value: Any = config
    for part in dotted.split("."):
        value = getattr(value, part)
    if dotted in DATA_FILES and value is not None:  # by what is in it, wherever it lies
        return f"file {content_hash(Path(value))}"
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, TracesSpec | PromptsSpec | RolloutSpec | EvaluationSpec):
        return value.identity()
    if isinstance(value, Benchmark):  # by what is in it, wherever the files lie
        return {"is": value.identity(), "weights": dict(value.weights)}
    if is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__name__} | asdict(value)
    return value


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]
