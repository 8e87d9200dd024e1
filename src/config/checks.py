"""The rules that span several parts of a configuration, all checked at once before anything heavy starts."""

from __future__ import annotations

from pathlib import Path

from src.common.errors import ConfigError
from src.config.schema import Config
from src.language.table import UnknownLanguage, language
from src.models.spec import WORLD_BASE
from src.store.directory import DATA_STAGES, STAGES


def check(config: Config) -> None:
    """Raise `ConfigError` listing every broken rule at once; return when the run can start."""
    found: list[str] = []
    for part in (
        config.world, config.model, config.rollout, config.evaluation, config.distributed, config.checkpoint,
        config.cluster,
        config.detector, config.grader, config.objective, config.schedule,
        config.reward, config.data, config.benchmark,
    ):  # fmt: skip
        rules = getattr(part, "violations", None)
        found += rules() if rules else []
    for name in ("pretrain", "sft", "grpo"):
        found += getattr(config, name).optimiser.violations(f"{name}.optimiser")
    found += _unknown_languages(config)
    unknown = [stage for stage in config.stages if stage not in STAGES]
    if unknown:
        found.append(f"stages must be among {', '.join(STAGES)}; got {', '.join(unknown)}")
    elif [STAGES.index(stage) for stage in config.stages] != sorted({STAGES.index(s) for s in config.stages}):
        found.append(f"stages must be in the order {', '.join(STAGES)}, each at most once; got {list(config.stages)}")
    if not config.stages:
        found.append("stages must name at least one stage; got an empty list")
    for name in DATA_STAGES:
        found += getattr(config, name).violations() if name in config.stages else []
    if any(stage in DATA_STAGES for stage in config.stages[:-1]):
        found.append(
            f"stages must end with {' or '.join(DATA_STAGES)}, whose result is data for another run (data.sft=..., "
            f"data.prompts=...); got {list(config.stages)}"
        )
    grpo = config.grpo
    if min(grpo.steps, grpo.prompts_per_step, grpo.updates_per_step) < 1:
        found.append("grpo.steps, grpo.prompts_per_step and grpo.updates_per_step must be at least 1")
    if grpo.completions_per_prompt < 2:
        found.append(
            f"grpo.completions_per_prompt must be at least 2, for a group to have a contrast; got {grpo.completions_per_prompt}"
        )
    if grpo.prompts_per_step % max(1, grpo.updates_per_step):
        found.append(
            f"grpo.prompts_per_step must be a multiple of grpo.updates_per_step, so that whole groups form each "
            f"mini-batch; got {grpo.prompts_per_step} and {grpo.updates_per_step}"
        )
    training = [stage for stage in config.stages if stage in ("sft", "grpo")]
    if training and config.model.dtype == "bfloat16" and not (config.model.lora.rank or config.distributed.zero):
        found.append(
            "model.dtype=bfloat16 loses small updates of its weights, so they need a float32 copy (distributed.zero=1, 2 or "
            "3) or adapters (model.lora.rank=32); got zero 0 and rank 0. Or use model.dtype=float32"
        )
    if config.cluster.tasks > 1 and config.cluster.tasks != config.distributed.processes:
        found.append(
            f"cluster.nodes x cluster.tasks_per_node must be distributed.processes, for every task is a rank; got "
            f"{config.cluster.nodes} x {config.cluster.tasks_per_node} and {config.distributed.processes}"
        )
    if "grpo" in config.stages and config.rollout.truncates and not config.objective.loss.importance_cap:
        found.append(
            f"rollouts for stage grpo must come from the whole distribution, or the ratio is taken to another policy; got "
            f"{', '.join(config.rollout.truncates)}. Leave it out, or correct for it with objective.loss.importance_cap=2"
        )
    if "grpo" in config.stages and config.rollout.sync == "adapter" and not config.model.lora.rank:
        found.append("rollout.sync=adapter needs adapters: model.lora.rank above 0, got 0. Or use rollout.sync=merged")
    parallel, processes = config.rollout.vllm.tensor_parallel, config.distributed.processes
    if config.rollout.engine == "vllm" and config.rollout.vllm.url is None and parallel > 0 and processes % parallel:
        found.append(
            f"distributed.processes must be a multiple of rollout.vllm.tensor_parallel, the ranks that share an engine; "
            f"got {processes} and {parallel}"
        )
    if (config.pretrain.from_scratch or "pretrain" in config.stages) and config.model.path != WORLD_BASE:
        found.append(
            f"stage pretrain makes the world's base model, so model.path must be {WORLD_BASE!r}; got {config.model.path!r}"
        )
    splits = config.benchmark.splits()
    found += [
        f"evaluation.splits must be among {', '.join(splits)}, those of the benchmark; got {split!r}"
        for split in config.evaluation.splits
        if split not in splits
    ]
    for name in ("sft", "validation", "prompts"):
        path = getattr(config.data, name)
        if path is not None and not Path(path).is_file():
            found.append(f"data.{name}: {path} is not a file. Give the path of a JSONL file, or null for the world's")
    if found:
        raise ConfigError("the configuration breaks these rules:\n" + "\n".join(f"  - {line}" for line in found))


def _unknown_languages(config: Config) -> list[str]:
    found = []
    for name, codes in (
        ("world.languages", config.world.languages),
        ("detector.languages", config.detector.languages),
        ("evaluation.languages", config.evaluation.languages),
        ("schedule.per_language", config.schedule.per_language),
    ):
        for code in codes:
            try:
                language(code)
            except UnknownLanguage as error:
                found.append(f"{name}: {error}")
    for code in config.evaluation.languages:
        if code not in config.detector.languages:
            found.append(f"evaluation.languages: {code} is not among detector.languages, so it could never be detected")
        there = config.benchmark.languages()
        if code not in there:
            found.append(f"evaluation.languages: {code} is not among the benchmark's: {', '.join(there)}")
    return found
