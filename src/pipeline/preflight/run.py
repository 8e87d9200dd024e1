"""The preflight of a run: every stage that is left says what it needs, and all that is wrong is listed at once."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from src.common.errors import ConfigError, UserError
from src.common.files import replace_durably
from src.common.identity import short_hash
from src.config.schema import Config
from src.pipeline.plan import plan
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Planned, module_of
from src.store.directory import PREFLIGHT
from src.store.results import ADAPTER, model_at

PACKAGES = ("torch", "transformers", "tokenizers", "peft", "vllm", "deepspeed")


def preflight(config: Config, directory: Path) -> str:
    """Look at everything that the stages of a run need and that can be known before the first of them starts; a line about
    it, empty where there was nothing to look at: all is finished, or it was looked at before and nothing has changed.

    Raises:
        ConfigError: the run would not get to its end; the message lists everything that is wrong.
    """
    planned = plan(config, directory)
    left = [stage for stage in planned if not stage.finished]
    seen = short_hash([[stage.identity for stage in left], environment(config)])
    if not left or noted(directory / PREFLIGHT) == seen:
        return ""
    began = time.perf_counter()
    look = Look(config, start_of(config, left), directory)
    problems = look_at(look, [stage.name for stage in left])
    if problems:
        raise ConfigError(refusal(problems))
    replace_durably(directory / PREFLIGHT, json.dumps({"passed": seen}).encode())
    lines = [f"preflight: {', '.join(stage.name for stage in left)} can run ({time.perf_counter() - began:.1f} s)"]
    return "\n".join([*lines, *(f"note: {text}" for text in look.notes)])


def look_at(look: Look, stages: Sequence[str]) -> list[str]:
    """What is wrong with a run of these stages."""
    import torch

    torch.set_num_threads(look.config.distributed.threads)
    if look.here:
        _check_machine(look)
    for name in stages:
        with look.attempt(f"stage {name}"):
            module_of(name).preflight(look)
    return look.problems


def refusal(problems: Sequence[str]) -> str:
    """The message about everything that is wrong."""
    listed = "\n".join("  - " + text.replace("\n", "\n    ") for text in problems)
    return f"nothing was started, for the run would not get to its end:\n{listed}"


def start_of(config: Config, left: Sequence[Planned]) -> str:
    """The model that the stages `left` start from; of those that are merged, which have the same sizes, the first that is
    no adapter. Empty where a stage makes it from nothing."""
    if "merge" in [stage.name for stage in left]:
        for name in config.merge.models:
            place = config.model.path if name == config.model.path else _place(name)
            if place and not (Path(place) / ADAPTER).is_file():
                return place
    return left[0].model


def _place(name: str) -> str:
    try:
        return model_at(name)
    except UserError:  # the plan says so
        return ""


def _check_machine(look: Look) -> None:
    """Device and packages that the settings of the run ask for."""
    import torch

    distributed = look.config.distributed
    if distributed.device == "cuda" and not torch.cuda.is_available():
        look.say(
            "distributed.device=cuda needs a GPU that this installation of torch can use, and it sees none. Use "
            "distributed.device=auto, or install torch for the GPU"
        )
    if distributed.zero and importlib.util.find_spec("deepspeed") is None:
        look.say(
            f"distributed.zero={distributed.zero} needs the package deepspeed, which is not installed here. Install it, or "
            "use distributed.zero=0"
        )
    for problem in look.config.tracking.missing():
        look.say(problem)


def environment(config: Config) -> list[str]:
    """What the outcome depends on beside the identities of the stages: settings of the machine, and versions."""
    distributed, rollout, model = config.distributed, config.rollout, config.model
    settings = [
        distributed.device,
        distributed.zero,
        rollout.engine,
        rollout.vllm,
        model.attention,
        model.trust_remote_code,
    ]
    return [*map(str, settings), *config.tracking.local, *(f"{name} {_version(name)}" for name in PACKAGES)]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def noted(file: Path) -> str | None:
    """What passed the last time, as it is hashed."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["passed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
