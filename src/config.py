"""The typed configuration: root schema, discovery of components, and the check of all cross-field rules.

Everything here answers before a heavy library is imported. A component (a schedule, a reward) is a frozen
dataclass in a module of its package; discovery registers it as the Hydra schema `schema/<group>/<module>`, from
which `conf/<group>/<name>.yaml` inherits its fields, types and defaults.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from src.algorithm.spec import ObjectiveSpec
from src.cluster.spec import ClusterSpec
from src.common.errors import ConfigError
from src.common.registry import COMPONENTS, choices, components
from src.data.selection.spec import PromptsSpec
from src.data.spec import DataSpec
from src.data.traces.spec import SERVICE, TracesSpec
from src.data.world.spec import WorldSpec
from src.distributed.spec import CheckpointSpec, DistributedSpec
from src.grading.grader import GraderSpec
from src.language.detector import DetectorSpec
from src.language.table import UnknownLanguage, language
from src.models.spec import WORLD_BASE, ModelSpec
from src.reporting.spec import ReportSpec, TrackingSpec
from src.rollout.spec import RolloutSpec
from src.stages.spec import DATA_STAGES, STAGES, EvaluationSpec, GrpoSpec, PretrainSpec, SftSpec

# Overrides that do not change results, or are in the path already: they do not give a run another directory.
NOT_HASHED = (
    "+experiment", "experiment", "scale", "seed", "root", "tracking", "distributed.", "hydra", "checkpoint.", "report.", "cluster=", "cluster.",
    "rollout.timeout_s", "rollout.probe_rows", "rollout.mismatch_limit", "rollout.vllm.", *(f"traces.teacher.{name}=" for name in SERVICE),
)  # fmt: skip

# Files that only the user can name, `ASKED` in a yaml, and the stage that reads them: without it, nobody is asked. (`???`
# would not do: it does not replace a default.)
ASKED = "?"
OF_STAGES = {"data.sft": "sft", "data.prompts": "grpo", "benchmark.path": "evaluate"}


@dataclass(frozen=True)
class Config:
    """One run. `method` and `stages` come from `conf/experiment/`, sizes from `conf/scale/`."""

    method: str = MISSING
    scale: str = MISSING
    seed: int = 0
    root: str = "runs"
    stages: list[str] = MISSING
    data: DataSpec = field(default_factory=DataSpec)
    world: WorldSpec = field(default_factory=WorldSpec)
    model: ModelSpec = field(default_factory=ModelSpec)
    traces: TracesSpec = field(default_factory=TracesSpec)
    prompts: PromptsSpec = field(default_factory=PromptsSpec)
    pretrain: PretrainSpec = field(default_factory=PretrainSpec)
    sft: SftSpec = field(default_factory=SftSpec)
    grpo: GrpoSpec = field(default_factory=GrpoSpec)
    objective: ObjectiveSpec = field(default_factory=ObjectiveSpec)
    schedule: Any = MISSING
    reward: Any = MISSING
    benchmark: Any = MISSING
    rollout: RolloutSpec = field(default_factory=RolloutSpec)
    detector: DetectorSpec = field(default_factory=DetectorSpec)
    grader: GraderSpec = field(default_factory=GraderSpec)
    evaluation: EvaluationSpec = field(default_factory=EvaluationSpec)
    tracking: TrackingSpec = field(default_factory=TrackingSpec)
    distributed: DistributedSpec = field(default_factory=DistributedSpec)
    checkpoint: CheckpointSpec = field(default_factory=CheckpointSpec)
    report: ReportSpec = field(default_factory=ReportSpec)
    cluster: ClusterSpec = field(default_factory=ClusterSpec)


def register() -> None:
    """Put the root schema and every component's schema where Hydra finds them, and the resolver `share`: the whole part
    of a share of a number, as in `${share:0.2,${rollout.maximum_new_tokens}}`."""
    OmegaConf.register_new_resolver("share", lambda share, whole: int(float(share) * int(whole)), replace=True)
    store = ConfigStore.instance()
    store.store(name="schema", node=_writable(OmegaConf.structured(Config)))
    for group in COMPONENTS:
        for name, component in components(group).items():
            hints = typing.get_type_hints(component)
            rows: list[Any] = [("_target_", str, f"{component.__module__}.{component.__qualname__}")]
            rows += [
                (item.name, hints[item.name], _default(item)) for item in dataclasses.fields(component) if item.init
            ]
            schema = dataclasses.make_dataclass(component.__name__ + "Schema", rows)
            node = OmegaConf.structured(schema)
            for key in (key for key, hint, _ in rows if _open(hint)):
                OmegaConf.set_struct(node._get_node(key), False)
            store.store(group=f"schema/{group}", name=name, node=node)


def _open(hint: Any) -> bool:
    """Whether a setting takes new keys on the command line without a plus sign: a dictionary of dictionaries, such as
    `schedule.per_language`. The keys of any other dictionary are those of its yaml, so that a wrong one is named."""
    values = typing.get_args(hint)[1:] if typing.get_origin(hint) is dict else ()
    return any(typing.get_origin(value) is dict for value in values)


def _writable(node: Any) -> Any:
    """Let a node be composed: frozen dataclasses, as all of ours are, make read-only nodes."""
    OmegaConf.set_readonly(node, False)
    for key in node:
        if OmegaConf.is_dict(child := node._get_node(key)) and not child._is_none() and not child._is_missing():
            _writable(child)
    return node


def _default(item: dataclasses.Field[Any]) -> Any:
    """The default of a field as a fresh field; one without a default must be given in the yaml."""
    if item.default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=item.default_factory)
    return dataclasses.field(default=MISSING if item.default is dataclasses.MISSING else item.default)


def build(node: DictConfig) -> Config:
    """The composed configuration as typed objects, components instantiated.

    Raises:
        ConfigError: a mandatory value is missing.
    """
    from hydra.utils import instantiate

    missing = sorted(OmegaConf.missing_keys(node))
    for key in [] if "stages" in missing else [key for key in OF_STAGES if OmegaConf.select(node, key) == ASKED]:
        if _asked(node, key):
            missing.append(key)
        else:
            OmegaConf.update(node, key, None)
    if "method" in missing:
        raise ConfigError(f"choose an experiment: +experiment=<name>, one of {', '.join(choices('experiment'))}")
    if missing:
        raise ConfigError(
            f"these settings have no value yet: {', '.join(sorted(missing))}. Give each on the command line"
        )
    plain = OmegaConf.to_container(node, resolve=True)
    assert isinstance(plain, dict)
    made = {group: instantiate(node[group], _convert_="all") for group in COMPONENTS}
    typed = {key: value for key, value in plain.items() if key not in COMPONENTS}
    merged = OmegaConf.merge(_writable(OmegaConf.structured(Config)), typed, dict.fromkeys(COMPONENTS))
    config = OmegaConf.to_object(merged)
    assert isinstance(config, Config)
    return dataclasses.replace(config, **made)


def _asked(node: DictConfig, key: str) -> bool:
    """Whether a stage of the run reads the files that `key` names; a benchmark's are not, where completions are scored."""
    return OF_STAGES[key] in node.stages and not (key == "benchmark.path" and node.benchmark.completions is not None)


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
    if config.objective.overlong.buffer >= config.rollout.maximum_new_tokens:
        found.append(
            f"objective.overlong.buffer must be below rollout.maximum_new_tokens, of which it is the end; got "
            f"{config.objective.overlong.buffer} and {config.rollout.maximum_new_tokens}"
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


def run_directory(root: str | Path, scale: str, method: str, seed: int, overrides: Iterable[str] = ()) -> Path:
    """Where a run lives: the same command always has the same place. No time stamp, so that it resumes."""
    counted = sorted(text for text in overrides if not text.startswith(NOT_HASHED))
    suffix = "-" + hashlib.sha256(json.dumps(counted).encode()).hexdigest()[:8] if counted else ""
    return Path(root) / scale / method / f"seed{seed}{suffix}"


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
