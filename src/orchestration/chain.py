"""What a run takes over from runs of other arms: their last models, and the data they made.

A run whose source has changed is another configuration: its directory depends on the source's, and the identities of its
stages on the files in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from src.common.errors import UserError
from src.common.registry import choice, choices
from src.config.compose import Composition, build
from src.config.paths import written
from src.config.schema import Config
from src.orchestration.arms import Arm
from src.pipeline.execute import check_whole
from src.pipeline.plan import plan
from src.pipeline.plan import stages as stages_of
from src.pipeline.stage import module_of
from src.store.directory import DATA_STAGES, MODEL, PROMPTS, ROLLOUT_FOLDER, SAMPLES, SFT, STAGES, VALIDATION

TRAINING = tuple(name for name in STAGES if name not in (*DATA_STAGES, "evaluate", "report"))
MERGE = "merge"  # its models are the sources'
# Which setting takes the prompts of another run, by the stage that reads it; the first stage that a run has.
READERS = {"grpo": "data.prompts", "traces": "traces.questions", "prompts": "prompts.sources"}
ANSWERS = "answers"
LISTS = ("traces.questions", "prompts.sources")


@dataclass(frozen=True)
class Made:
    """What a run leaves for others. `model` is the folder of its last model, or where it trains none the name of the model that it
    evaluates (empty: it works with none), `trained` the stages
    that this model went through, those of earlier arms too; `data` maps the stages that make data to their folders, and
    `ANSWERS` to the file or folder with answers of a model."""

    model: str
    trained: frozenset[str]
    data: Mapping[str, Path]


def configuration(composition: Composition, seed: int) -> Config:
    """Of a run with this seed. Raises `ConfigError` where a setting has no value."""
    node = OmegaConf.merge(composition.node, {"seed": seed})
    assert isinstance(node, DictConfig)
    return build(node)


def made_by(config: Config, directory: Path, before: Sequence[Made], finished: bool) -> Made:
    """What the run in `directory` leaves, which started from the models of `before`. Where it has not `finished`, nobody
    knows yet where its model will lie, and the folder is a stand-in.

    Raises:
        UserError: its model or data is not what it finished with.
    """
    names = stages_of(config)
    training = [name for name in names if name in TRAINING]
    data = {name: directory / name for name in names if name in DATA_STAGES}
    if "grpo" in names:
        data[ANSWERS] = directory / "grpo" / ROLLOUT_FOLDER
    elif "prompts" in names and config.prompts.difficulty.samples:
        data[ANSWERS] = directory / "prompts" / SAMPLES
    model = str(directory / training[-1] / MODEL) if training else ""
    if not training and "evaluate" in names:
        model = config.model.path
    if finished:
        for stage in plan(config, directory):
            if stage.name in training[-1:]:
                model = str(stage.result)
            if stage.name in training[-1:] or stage.name in data:
                check_whole(stage)
    earlier = frozenset.intersection(*(made.trained for made in before)) if before else frozenset()
    return Made(model, earlier | frozenset(training), data)


def overrides_of(arm: Arm, stages: Sequence[str], given: Sequence[str], made: Mapping[str, Made]) -> tuple[str, ...]:
    """The settings that connect a run of `arm`, with these `stages` and the overrides `given` for it, to its sources.

    A training stage that all models it starts from went through is left out, but for the last one of the run and where
    `given` names the stages.

    Raises:
        UserError: a source does not make what is taken from it, or no stage takes it.
    """
    values: dict[str, str] = {}
    if arm.start:
        values |= _models(arm, stages, made)
        if not any(_key(text) == "stages" for text in given):
            left = _left(stages, frozenset.intersection(*(made[name].trained for name in arm.start)))
            values |= {"stages": f"[{','.join(left)}]"} if left != list(stages) else {}
            stages = left
    for name in arm.data:
        for key, value in _data(arm, name, stages, given, made[name]).items():
            if key in values and key not in LISTS:
                raise UserError(f"data_from must name one arm that makes {key}; got {', '.join(arm.data)}")
            values[key] = f"{values[key][:-1]},{value[1:]}" if key in values else value
    for text in arm.overrides + tuple(key for key, _ in arm.choose):
        if _key(text) in values:
            raise UserError(f"{_key(text)} comes from another arm (from, data_from); leave out {text}")
    return tuple(f"{key}={value}" for key, value in values.items())


def check(arm: Arm, config: Config) -> None:
    """Raise `UserError` where a run takes over a model that none of its stages works with."""
    merges = MERGE in config.stages
    if arm.start and not merges and not any(module_of(name).declare(config).model for name in config.stages):
        hint = ". prompts.difficulty.rollouts=8 measures difficulty on it" if "prompts" in config.stages else ""
        raise UserError(
            f"from must not be given where no stage works with a model; got {', '.join(arm.start)} for "
            f"{', '.join(config.stages)}{hint}"
        )


def _models(arm: Arm, stages: Sequence[str], made: Mapping[str, Made]) -> dict[str, str]:
    for name in arm.start:
        if not made[name].model:
            raise UserError(f"from must name an arm that trains or evaluates a model; {name} does neither")
    models = [_written(made[name].model) for name in arm.start]
    if MERGE in stages or arm.experiment.startswith(MERGE):
        return {"merge.models": f"[{','.join(models)}]"}
    if len(models) > 1:
        raise UserError(
            f"from must name one arm, unless the experiment merges models; got {', '.join(arm.start)} for experiment "
            f"{arm.experiment}"
        )
    if "pretrain" in stages:
        raise UserError(f"from must not be given where stage pretrain makes the model; got {', '.join(arm.start)}")
    return {"model.path": models[0], "pretrain.from_scratch": "false"}


def _left(stages: Sequence[str], trained: frozenset[str]) -> list[str]:
    """The stages without training that the model has behind it, but for the last training stage."""
    last = [name for name in stages if name in TRAINING][-1:]
    return [name for name in stages if name not in trained or name not in TRAINING or name in last]


def _data(arm: Arm, name: str, stages: Sequence[str], given: Sequence[str], made: Made) -> dict[str, str]:
    """The settings that take the data of the arm `name`."""
    if not made.data:
        raise UserError(f"data_from must name an arm that makes data ({', '.join(DATA_STAGES)}); {name} makes none")
    values: dict[str, str] = {}
    if "prompts" in made.data:
        file = _written(made.data["prompts"] / PROMPTS)
        key = next((READERS[stage] for stage in READERS if stage in stages), None)
        values |= {key: f"[{file}]" if key in LISTS else file} if key else {}
    if "traces" in made.data and "sft" in stages:
        validation = made.data["traces"] / VALIDATION
        values["data.sft"] = _written(made.data["traces"] / SFT)
        values["data.validation"] = _written(validation) if validation.is_file() else "null"
    if ANSWERS in made.data and "sft" in stages and _takes_answers(given):
        values["data.samples"] = _written(made.data[ANSWERS])
    if not values:
        what = " and ".join(made.data)
        raise UserError(
            f"data_from must name an arm whose data a stage reads; none of {', '.join(stages)} reads the {what} of {name}"
        )
    return values


def _takes_answers(given: Sequence[str]) -> bool:
    """Whether the mix that is chosen takes answers of a model."""
    chosen = [text.partition("=")[2] for text in given if _key(text) == "mix"][-1:]
    return any(name in choices("mix") and getattr(choice("mix", name)[0], "samples", False) for name in chosen)


def _key(override: str) -> str:
    """The setting that an override is about."""
    return override.lstrip("+~").partition("=")[0]


def _written(path: str | Path) -> str:
    """A path as Hydra reads it in an override."""
    return written("", path).removeprefix("=")
