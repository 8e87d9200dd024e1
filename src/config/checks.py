"""The rules that span several parts of a configuration, all checked at once before anything heavy starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from src.common.errors import ConfigError, UserError
from src.config.schema import Config
from src.data.benchmarks.world import World
from src.data.hub import is_remote, place_of
from src.data.sources import never_asked
from src.language.table import LANGUAGES, UnknownLanguage, language
from src.models.spec import WORLD_BASE
from src.rewards.base import lowest_of, needs_of
from src.rewards.evidence import PROVIDED, services_of
from src.store.directory import DATA_STAGES, STAGES
from src.store.results import model_at


def check(config: Config, files: bool = True) -> None:
    """Raise `ConfigError` listing every broken rule at once; return when the run can start, or, without `files`, could with
    files of data."""
    violations = [line for rule in RULES for line in rule(config)]
    if not files:
        violations = [
            line
            for line in violations
            if not line.startswith(("data.", "benchmark", "traces.", "prompts.", "services.references"))
        ]
    if violations:
        raise ConfigError("the configuration breaks these rules:\n" + "\n".join(f"  - {line}" for line in violations))


def _parts(config: Config) -> list[str]:
    """The rules that each part has for itself."""
    parts = (
        *(config.world, config.model, config.rollout, config.evaluation, config.distributed, config.checkpoint),
        *(config.cluster, config.detector, config.grader, config.objective, config.schedule, config.reward),
        *(config.data, config.benchmark, config.grpo, config.mix, config.strategy, config.selector),
    )
    violations: list[str] = []
    for part in parts:
        rules = getattr(part, "violations", None)
        violations += rules() if rules else []
    if config.pretrain.from_scratch or any(stage in ("pretrain", "sft", "grpo") for stage in config.stages):
        violations += config.world.training_violations()
    for name in ("pretrain", "sft", "grpo"):
        violations += getattr(config, name).optimiser.violations(f"{name}.optimiser")
    return violations


def _languages(config: Config) -> list[str]:
    """Languages are known, those of the evaluation to the detector and the benchmark, too."""
    violations = []
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
                violations.append(f"{name}: {error}")
    there = config.benchmark.languages()
    for code in config.evaluation.languages:
        if code not in config.detector.languages:
            violations.append(
                f"evaluation.languages: {code} is not among detector.languages, so it could never be detected"
            )
        if code not in there:
            violations.append(f"evaluation.languages: {code} is not among the benchmark's: {', '.join(there)}")
    return violations


def _scheduled(config: Config) -> list[str]:
    """A language with a schedule of its own is asked; of a file of questions that is known when it is read."""
    if "grpo" not in config.stages or config.data.prompts is not None:
        return []
    known = [code for code in config.schedule.per_language if code in LANGUAGES]
    return never_asked(known, config.world.trained_languages, "world.trained_languages")


def _stages(config: Config) -> list[str]:
    """Stages exist, stand in their order, and end with one whose result is data, if there is such a one."""
    violations = []
    unknown = [stage for stage in config.stages if stage not in STAGES]
    if unknown:
        violations.append(f"stages must be among {', '.join(STAGES)}; got {', '.join(unknown)}")
    elif [STAGES.index(stage) for stage in config.stages] != sorted({STAGES.index(s) for s in config.stages}):
        violations.append(
            f"stages must be in the order {', '.join(STAGES)}, each at most once; got {list(config.stages)}"
        )
    if not config.stages:
        violations.append("stages must name at least one stage; got an empty list")
    for name in DATA_STAGES:
        violations += getattr(config, name).violations() if name in config.stages else []
    if any(stage in DATA_STAGES for stage in config.stages[:-1]):
        violations.append(
            f"stages must end with {' or '.join(DATA_STAGES)}, whose result is data for another run (data.sft=..., "
            f"data.prompts=...); got {list(config.stages)}"
        )
    return violations


def _rewards(config: Config) -> list[str]:
    """The reward can be multiplied where it is, and has its evidence."""
    if "grpo" not in config.stages:
        return []
    violations = []
    advantage = config.objective.advantage
    low = lowest_of(config.reward)
    for name, term in (("alignment", advantage.alignment), ("diversity", advantage.diversity)):
        if term.form == "multiply" and term.at == "reward" and (low is None or low < 0):
            violations.append(
                f"objective.advantage.{name}.form must not be multiply at the reward where rewards can be negative, for "
                f"there it would punish what it is to encourage; got a reward whose lowest value is "
                f"{'not known (it has no lowest())' if low is None else format(low, 'g')}. Use form=add, or another reward"
            )
    parts = getattr(config.reward, "parts", None)
    named: dict[str, Any] = {f"reward.parts.{name}": part for name, part in parts.items()} if parts else {}
    named = named or {"reward": config.reward}
    for where, part in named.items():
        for need in sorted(needs_of(part) - set(PROVIDED)):
            violations.append(
                f"{where} needs the evidence {need!r}, which no service of this run gives"
                + (f". Take the part out ('~{where}') or choose another reward" if parts else ". Choose another reward")
            )
        if advantage.normaliser == "gdpo" and getattr(part, "normalise", "none") != "none":
            violations.append(
                f"{where}.normalise must be none with objective=gdpo, which normalises itself; got {part.normalise!r}"
            )
    return violations


def _services(config: Config) -> list[str]:
    """What gives the reward its evidence can be asked."""
    services = config.services
    used = services_of(config.reward) if "grpo" in config.stages else []
    violations: list[str] = []
    for setting in used:
        rules = getattr(getattr(services, setting.removeprefix("services.")), "violations", None)
        violations += rules() if rules else []
    if used and services.pivot not in LANGUAGES:
        violations.append(f"services.pivot must be one of {', '.join(LANGUAGES)}; got {services.pivot!r}")
    if services.own_answers < 1:
        violations.append(f"services.own_answers must be at least 1; got {services.own_answers}")
    if used and services.references is not None:
        violations += _no_file("services.references", services.references)
    return violations


def _strategy(config: Config) -> list[str]:
    """What is learned is the answer to one prompt."""
    if "grpo" in config.stages and config.strategy.rounds > 1:
        return [
            f"strategy must ask in one round where stage grpo trains; this one has {config.strategy.rounds}. Evaluate with it: "
            "stages=[evaluate,report]"
        ]
    return []


def _grpo_batch(config: Config) -> list[str]:
    """The sizes of a step of GRPO fit each other."""
    grpo = config.grpo
    violations = []
    if min(grpo.steps, grpo.prompts_per_step, grpo.updates_per_step) < 1:
        violations.append("grpo.steps, grpo.prompts_per_step and grpo.updates_per_step must be at least 1")
    if grpo.completions_per_prompt < 2:
        violations.append(
            f"grpo.completions_per_prompt must be at least 2, for a group to have a contrast; got {grpo.completions_per_prompt}"
        )
    if grpo.prompts_per_step % max(1, grpo.updates_per_step):
        violations.append(
            f"grpo.prompts_per_step must be a multiple of grpo.updates_per_step, so that whole groups form each "
            f"mini-batch; got {grpo.prompts_per_step} and {grpo.updates_per_step}"
        )
    return violations


def _precision(config: Config) -> list[str]:
    """Training in bfloat16 keeps small updates somewhere."""
    training = [stage for stage in config.stages if stage in ("sft", "grpo")]
    if training and config.model.dtype == "bfloat16" and not (config.model.lora.rank or config.distributed.zero):
        return [
            "model.dtype=bfloat16 loses small updates of its weights, so they need a float32 copy (distributed.zero=1, 2 or "
            "3) or adapters (model.lora.rank=32); got zero 0 and rank 0. Or use model.dtype=float32"
        ]
    return []


def _cluster(config: Config) -> list[str]:
    """Every task of a job is a rank."""
    if config.cluster.tasks > 1 and config.cluster.tasks != config.distributed.processes:
        return [
            f"cluster.nodes x cluster.tasks_per_node must be distributed.processes, for every task is a rank; got "
            f"{config.cluster.nodes} x {config.cluster.tasks_per_node} and {config.distributed.processes}"
        ]
    return []


def _sampling(config: Config) -> list[str]:
    """What samples fits what is trained, and the ranks it runs on."""
    violations = []
    explores = [stage for stage in ("grpo", "prompts") if stage in config.stages]
    if "grpo" not in explores and not config.prompts.difficulty.rollouts:
        explores = []
    if explores and config.rollout.temperature == 0:
        violations.append(
            f"rollout.temperature must be above 0 for stage {explores[0]} (sampling is what explores); got 0. Greedy evaluation is "
            "evaluation.temperature=0"
        )
    asks = "evaluate" in config.stages and config.benchmark.completions is None
    if asks and config.evaluation.samples > 1 and config.evaluation.greedy(config.rollout):
        violations.append(
            f"evaluation.samples must be 1 at temperature 0, where every sample is the same; got {config.evaluation.samples}"
        )
    if "grpo" in config.stages and config.rollout.truncates and not config.objective.loss.importance_cap:
        violations.append(
            f"rollouts for stage grpo must come from the whole distribution, or the ratio is taken to another policy; got "
            f"{', '.join(config.rollout.truncates)}. Leave it out, or correct for it with objective.loss.importance_cap=2"
        )
    if "grpo" in config.stages and config.rollout.sync == "adapter" and not config.model.lora.rank:
        violations.append(
            "rollout.sync=adapter needs adapters: model.lora.rank above 0, got 0. Or use rollout.sync=merged"
        )
    parallel = config.rollout.vllm.tensor_parallel
    processes = config.distributed.processes
    if config.rollout.engine == "vllm" and config.rollout.vllm.url is None and parallel > 0 and processes % parallel:
        violations.append(
            f"distributed.processes must be a multiple of rollout.vllm.tensor_parallel, the ranks that share an engine; "
            f"got {processes} and {parallel}"
        )
    return violations


def _model(config: Config) -> list[str]:
    """Pre-training makes the world's base model and no other."""
    if (config.pretrain.from_scratch or "pretrain" in config.stages) and config.model.path != WORLD_BASE:
        return [
            f"stage pretrain makes the world's base model, so model.path must be {WORLD_BASE!r}; got {config.model.path!r}"
        ]
    return []


def _merge(config: Config) -> list[str]:
    """The models to merge are there, and their rule can merge so many; without the stage there are none."""
    rule = config.merge
    if "merge" not in config.stages:
        return [f"merge.models needs stage merge; got stages {list(config.stages)}"] if rule.models else []
    violations = rule.violations()
    for key, name in [("models", name) for name in rule.models] + ([("base", rule.base)] if rule.base else []):
        if name.strip() and name != config.model.path:
            try:
                model_at(name)
            except UserError as error:
                violations.append(f"merge.{key}: {error}")
    return violations


def _splits(config: Config) -> list[str]:
    """The benchmark has the splits that are evaluated, and a report can compare languages in each."""
    splits = config.benchmark.splits()
    violations = [
        f"evaluation.splits must be among {', '.join(splits)}, those of the benchmark; got {split!r}"
        for split in config.evaluation.splits
        if split not in splits
    ]
    if isinstance(config.benchmark, World) and "evaluate" in config.stages and config.benchmark.completions is None:
        if "train" in config.evaluation.splits and len(config.evaluation.languages) > 1:
            violations.append(
                "evaluation.splits must be among dev, test, shift: the problems of train differ from language to language, so "
                "no result could be compared; got 'train'"
            )
        if max(config.world.steps, default=0) < 2:
            violations.append(
                "world.steps must hold a number above 1 where the world is evaluated, for all problems of one operation are those "
                f"of train; got {list(config.world.steps)}. Use world.steps=[1,2]"
            )
    return violations


def _seeds(config: Config) -> list[str]:
    """Seeds are numbers from 0."""
    return [
        f"{name} must be 0 or more; got {seed}"
        for name, seed in (("seed", config.seed), ("evaluation.seed", config.evaluation.seed))
        if seed < 0
    ]


def _pass_at(config: Config) -> list[str]:
    """pass@k needs k samples; how many a file of completions has is seen when it is read."""
    evaluation = config.evaluation
    if "evaluate" not in config.stages or config.benchmark.completions is not None:
        return []
    return [
        f"evaluation.pass_at must be at most evaluation.samples, from which pass@k is computed; got {k} with "
        f"{evaluation.samples} samples. Take a smaller k, or evaluation.samples={k}"
        for k in evaluation.pass_at
        if k > evaluation.samples
    ]


def _samples(config: Config) -> list[str]:
    """Answers of the model are given where a mix takes them, and are there."""
    path, takes = config.data.samples, config.mix.samples and "sft" in config.stages
    if path is None:
        fix = "Give a file or a folder of rollouts, in runs.yaml data_from: <arm>"
        return (
            [f"data.samples must be given for this mix, which takes answers of the model; got null. {fix}"]
            if takes
            else []
        )
    if not takes:
        return [f"data.samples needs stage sft with a mix that takes it (mix=xrft); got {path}"]
    there = Path(path).exists()
    return [] if there else [f"data.samples: {path} is no file or folder. Give JSONL, or a folder of step-*.parquet"]


def _data_files(config: Config) -> list[str]:
    """Files of data are there."""
    paths = {name: getattr(config.data, name) for name in ("sft", "validation", "prompts")}
    violations = _samples(config)
    for name, path in paths.items():
        violations += _no_file(f"data.{name}", path) if path is not None else []
    return violations


def _no_file(where: str, path: str) -> list[str]:
    """What is wrong with the place of a file of data; nothing where it is there, or is in a repository."""
    if is_remote(path):
        try:
            place_of(path)
        except UserError as error:
            return [f"{where}: {error}"]
    elif not Path(path).is_file():
        return [
            f"{where}: {path} is not a file. Give the path of a JSONL, JSON, CSV, TSV or parquet file, the name of a data "
            "set of the hub (hub:<owner>/<name>@<commit>), or null for the world's"
        ]
    return []


RULES: tuple[Callable[[Config], list[str]], ...] = (
    *(
        _parts,
        _languages,
        _scheduled,
        _stages,
        _rewards,
        _services,
        _grpo_batch,
        _strategy,
        _precision,
        _cluster,
        _sampling,
        _model,
        _merge,
        _splits,
        _pass_at,
        _seeds,
        _data_files,
    ),
)
