"""What a run will hold in memory, from the formulas of `src.models.memory`."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from src.common.errors import ConfigError
from src.config.schema import Config
from src.models.memory import GB, KNOWN, Item, Shape, Work, items, total
from src.models.spec import WORLD_BASE
from src.store.results import ADAPTER, model_at

WORLD_PROMPT = 128  # tokens; the world's questions are shorter, to its own tokenizer
OTHER_PROMPT = 256  # to others, whose template and alphabet may take twice as many (Thai: 231)
OWN = 1.0e9  # what Python, torch and the data take beside the tensors, on the host
# What the host's allocator holds beside tensors, as a share of them: SFT of SmolLM2-135M with adapters peaked at 5.5 GB
# where 3.2 GB were counted.
HELD = 1.4


def check_memory(config: Config) -> str:
    """One line about the stage that needs most.

    Raises:
        ConfigError: it needs more than there is; the message names the largest tensors and the settings to change.
    """
    shape = shape_of(config)
    tensors = {name: items(shape, work(config, name)) for name in stages(config)} if shape else {}
    if not tensors:
        return ""
    name = max(tensors, key=lambda stage: total(tensors[stage]))
    room, where = capacity(config)
    needed = total(tensors[name]) * ranks_sharing(config, where) + (OWN if where == "host" else 0)
    likely = expected(total(tensors[name]), config, where)  # no reason to refuse a run that may fit
    largest = sorted(tensors[name], key=lambda item: -item.size)[:3]
    if needed > room:
        listed = "\n".join(f"  - {item.name}, {item.size / GB:.1f} GB: {item.setting}" for item in largest)
        raise ConfigError(
            f"stage {name} must fit into memory; it needs about {needed / GB:.1f} GB, and the {where} has "
            f"{room / GB:.1f} GB. The largest of it, and what changes it:\n{listed}\n"
            "python -m src memory with the same settings shows everything"
        )
    return f"memory: about {likely / GB:.1f} of {room / GB:.1f} GB ({where}, {name}); {_named(largest)}"


def expected(tensors: float, config: Config, where: str) -> float:
    """Bytes at the peak for `tensors` bytes of each rank that shares the memory."""
    return tensors * ranks_sharing(config, where) * HELD + OWN if where == "host" else tensors


def stages(config: Config) -> list[str]:
    """The stages that load a model."""
    asks = config.benchmark.completions is None
    return [name for name in config.stages if name in ("sft", "grpo") or (name == "evaluate" and asks)]


def work(config: Config, stage: str) -> Work:
    """What `stage` does with the model."""
    spec = config.model
    rollout = config.rollout
    longest = WORLD_PROMPT if config.model.path == WORLD_BASE else OTHER_PROMPT
    prompt = config.grpo.maximum_prompt_tokens or longest
    plain = Work(width=2 if spec.dtype == "bfloat16" else 4)
    sampled = replace(
        plain,
        engine=rollout.engine,
        rows=rollout.rows_at_once,
        prompt=prompt,
        response=rollout.maximum_new_tokens,
        served=served(config),
        sleeps=rollout.vllm.sleep,
    )
    if stage == "evaluate":
        return sampled
    trained = replace(
        plain if stage == "sft" else sampled,
        rank=spec.lora.rank,
        checkpointing=spec.gradient_checkpointing,
        ranks=config.distributed.processes,
        zero=config.distributed.zero,
        offload=config.distributed.offload != "none",
    )
    if stage == "sft":
        tokens = max(config.sft.tokens_per_microbatch, config.sft.cutoff or 0)
        return replace(trained, tokens=tokens, targets=tokens)
    tokens = max(config.grpo.tokens_per_microbatch, prompt + rollout.maximum_new_tokens)
    reference = config.objective.loss.kl_coefficient > 0 and not spec.lora.rank
    return replace(trained, tokens=tokens, targets=tokens, reference=reference)


def served(config: Config) -> int:
    """What vLLM takes of a device; 0 for other engines, without a device, and where a server elsewhere samples."""
    room, where = capacity(config)
    own = config.rollout.engine == "vllm" and config.rollout.vllm.url is None and where == "device"
    return int(config.rollout.vllm.memory_share * room) if own else 0


def shape_of(config: Config) -> Shape | None:
    """The sizes of the model of a run; None where only the hub knows them and it has not been asked yet."""
    path = _start(config)
    world = config.world
    if path == WORLD_BASE:
        return Shape(
            world.layers,
            world.hidden_size,
            world.heads,
            world.key_value_heads,
            world.head_size,
            world.intermediate_size,
            world.vocabulary,
            tied=True,
            bias=False,
            head_norms=True,
        )
    file = Path(path) / "config.json"
    sizes: dict[str, Any] | None = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else KNOWN.get(path)
    try:
        return Shape.of(sizes) if sizes else None
    except KeyError:  # an architecture of other names
        return None


def _start(config: Config) -> str:
    """The model that the run starts from, or one of those that it merges, which have the same sizes."""
    if "merge" not in config.stages:
        return config.model.path
    named = (name if name == config.model.path else model_at(name) for name in config.merge.models)
    return next((name for name in named if not (Path(name) / ADAPTER).is_file()), config.model.path)


def capacity(config: Config) -> tuple[int, str]:
    """Bytes there are, and where: `device` (one GPU) or `host`."""
    device = config.distributed.device
    if device == "cuda" or (device == "auto" and Path("/dev/nvidiactl").exists()):
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.get_device_properties(0).total_memory), "device"
    room = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(room, int(text)) if text.isdigit() else room, "host"


def ranks_sharing(config: Config, where: str) -> int:
    """How many ranks share the memory: all of them on the host, each has a device of its own otherwise."""
    return config.distributed.processes if where == "host" else 1


def _named(largest: list[Item]) -> str:
    return "largest: " + ", ".join(f"{item.name} {item.size / GB:.1f}" for item in largest)
