"""Every setting either counts among the inputs of a stage, or is in the one list of those that change nothing."""

import dataclasses

from omegaconf import OmegaConf

from src.config.directory import directory_of
from src.config.unchanging import CHANGE_NOTHING, MEASURED_ON_THE_WAY, READ_BY_ONE, is_among
from src.pipeline.plan import plan, value_of
from src.pipeline.stage import module_of
from src.store.directory import STAGES
from tests.helpers.configs import compose, compose_node
from tests.helpers.paths import ROOT

# Configurations that between them have every setting in use.
RUNS = (
    ("+experiment=adamame_grpo", "reward=m_thinker"),
    ("+experiment=prompts", "prompts.sources=[world@train]", "prompts.difficulty.rollouts=2", "reward=pivot"),
    ("+experiment=evaluate", "benchmark=mgsm", "reward=pivot_translation"),
    ("+experiment=grpo", *(f"data.{name}={ROOT / 'LICENSE'}" for name in ("sft", "validation", "prompts"))),
    ("+experiment=evaluate", "benchmark=jsonl", f"benchmark.completions={ROOT / 'README.md'}", "reward=self_pivot"),
    ("+experiment=sft", "mix=xrft", f"data.samples={ROOT / 'LICENSE'}"),
    ("+experiment=grpo", "rollout=scripted", f"rollout.script={ROOT / 'README.md'}"),
)
FILE = str(ROOT / "Makefile")
# Where only some values can be.
OTHER = {
    **dict.fromkeys(("data.sft", "data.validation", "data.prompts", "data.samples"), FILE),
    **dict.fromkeys(("rollout.script", "services.references"), FILE),
    **dict.fromkeys(("benchmark.completions", "benchmark.questions_file", "benchmark.path"), FILE),
    **{key: ["world@dev"] for key in ("traces.questions", "prompts.sources", "prompts.against")},
    **dict.fromkeys(("benchmark.language", "data.language"), "fr"),
    "merge.weights": [2.0],
}
# They count in another way: which stages there are, the folder's name, models by what is in them, what only follows
# another setting, what counts no longer once tokens are there, and where questions are not read.
ELSEWHERE = (
    "stages",
    "method",
    "model.path",
    "model.chat_template",  # by its text, and the date where a template writes one: src.pipeline.prompting
    "model.date",
    "merge.models",
    "merge.base",
    "minimum_characters",
    "calibration",
    "benchmark.tokenizer",
)


def leaves(value, key=""):
    """(key, value) of every setting; a list is one."""
    fields = {}
    if dataclasses.is_dataclass(value):
        fields = {item.name: getattr(value, item.name) for item in dataclasses.fields(value) if item.init}
    elif isinstance(value, dict):
        fields = value
    if not fields and not dataclasses.is_dataclass(value):  # a component without settings has none to change
        yield key, value
    for name, inner in fields.items():
        yield from leaves(inner, f"{key}.{name}".lstrip("."))


def replaced(node, key, value):
    """A copy with another value of the setting `key`."""
    name, _, rest = key.partition(".")
    if isinstance(node, dict):
        return node | {name: replaced(node[name], rest, value) if rest else value}
    return dataclasses.replace(node, **{name: replaced(getattr(node, name), rest, value) if rest else value})


def changed(value):
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, list):
        return [*value, *(value[-1:] or ["fr"])]
    return {"fr": 2.0} if isinstance(value, dict) else 7


def inputs(config):
    """What the stages depend on, if the run had all of them."""
    keys = {key for stage in STAGES for key in module_of(stage).declare(config).inputs}
    return {key: value_of(config, key) for key in keys}


def test_every_setting_counts_in_a_stage_or_is_said_to_change_nothing():
    counts, every = set(), set()
    for overrides in RUNS:
        config = compose(*overrides)
        before = inputs(config)
        for key, value in leaves(config):
            every.add(key)
            try:
                after = inputs(replaced(config, key, OTHER.get(key, changed(value))))
            except (TypeError, OSError):  # 7 where a text is wanted, a file that is not there
                after = inputs(replaced(config, key, OTHER.get(key, "x")))
            if after != before:
                counts.add(key)
    said = CHANGE_NOTHING | MEASURED_ON_THE_WAY | set(ELSEWHERE)
    assert sorted(key for key in every - counts if not is_among(key, said)) == []
    assert {key for key in counts if is_among(key, CHANGE_NOTHING | MEASURED_ON_THE_WAY)} == set()


def test_the_list_names_settings_that_there_are():
    node = compose_node("+experiment=grpo")
    for key in sorted((CHANGE_NOTHING | MEASURED_ON_THE_WAY) - {"hydra"}):
        assert OmegaConf.select(node, key, throw_on_missing=False, default="absent") != "absent", key


def test_what_only_follows_another_setting_counts_with_it(tmp_path):
    runs = [compose("+experiment=grpo", "reward=m_thinker", f"minimum_characters={count}") for count in (5, 6)]
    grpo = [next(stage.identity for stage in plan(config, tmp_path) if stage.name == "grpo") for config in runs]
    assert grpo[0] != grpo[1]


def test_what_one_stage_reads_no_other_has_among_its_inputs():
    config = compose("+experiment=prompts", "prompts.sources=[world@train]", "prompts.difficulty.rollouts=2")
    for stage in STAGES:
        for reader, keys in READ_BY_ONE.items():
            others = module_of(stage).declare(config).inputs if stage != reader else ()
            assert not [key for key in others if is_among(key, keys) or any(is_among(own, {key}) for own in keys)]


def test_a_run_is_not_another_by_settings_that_none_of_its_stages_reads():
    more = ["grpo.steps=5", "schedule=linear", "reward=fidelity", "sft.epochs=3"]
    assert directory_of(["+experiment=base", *more]) == directory_of(["+experiment=base"])
    assert directory_of(["+experiment=sft", *more]) == directory_of(["+experiment=sft", "sft.epochs=3"])
    assert directory_of(["+experiment=grpo", *more]) != directory_of(["+experiment=grpo", "sft.epochs=3"])
