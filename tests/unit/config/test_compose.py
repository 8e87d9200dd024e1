"""Composition: every yaml composes and instantiates; what is wrong is named, with what would be right."""

import subprocess
import sys
from pathlib import Path

import pytest

from src.common.errors import ConfigError
from src.common.registry import COMPONENTS, CONF, choices, components
from src.config.checks import check
from src.config.directory import run_directory
from src.config.explain import explain
from tests.helpers.configs import FILES, compose_node
from tests.helpers.paths import ROOT

# What only the user can say.
OF_THE_USER = {
    "traces": ("traces.questions=[world@train]", "traces.teacher.model=m"),
    "prompts": ("prompts.sources=[world@train]",),
}

REAL = ("distill_1_5b", "distill_7b", "qwen3_4b")
OWN_LOSS = ("cispo", "dapo", "dr_grpo", "gspo")  # methods that are a loss of their own


@pytest.mark.parametrize("experiment", choices("experiment"))
@pytest.mark.parametrize("scale", choices("scale"))
def test_every_experiment_runs_at_every_scale(compose, experiment, scale):
    own = FILES if scale in REAL else ()
    built = compose(f"+experiment={experiment}", f"scale={scale}", *OF_THE_USER.get(experiment, ()), *own)
    assert built.method == experiment and built.scale == scale
    if experiment == "pretrain" and scale in REAL:  # composes, and says why it cannot run
        with pytest.raises(ConfigError, match="model.path must be 'world'"):
            check(built)
    else:
        check(built)


GROUPS = [p for p in sorted(CONF.iterdir()) if p.is_dir() and p.name not in ("cluster", "experiment", "scale")]
# What a choice cannot do without.
NEEDS = {
    ("benchmark", "mgsm_rev2"): (f"benchmark.path={Path(__file__).parent}",),
    ("rollout", "scripted"): (f"rollout.script={Path(__file__)}",),
    ("benchmark", "jsonl"): (f"benchmark.questions_file={Path(__file__)}", "evaluation.languages=[fr]"),
}


@pytest.mark.parametrize(("group", "name"), [(folder.name, name) for folder in GROUPS for name in choices(folder.name)])
def test_every_choice_of_every_group_instantiates(compose, group, name):
    built = compose("+experiment=adamame_grpo", f"{group}={name}", *NEEDS.get((group, name), ()))
    check(built)


def test_every_component_has_a_yaml_of_its_name():
    for group in COMPONENTS:
        assert set(components(group)) <= set(choices(group))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["grpo.stepz=3"], "unknown key 'grpo.stepz'. Did you mean 'steps'?"),
        (["schedule.maximun=3"], "unknown key 'schedule.maximun'. Did you mean 'maximum'?"),
        (["grpo.steps=many"], "grpo.steps: Value 'many' of type 'str' could not be converted to Integer"),
        (["schedule=cosin"], "schedule has no choice 'cosin'. Did you mean 'cosine'?"),
    ],
)
def test_a_mistake_fails_at_composition_and_is_named(overrides, message):
    with pytest.raises(Exception) as caught:
        compose_node("+experiment=grpo", *overrides)
    assert message in explain(caught.value)


def test_check_lists_every_broken_rule_at_once(compose):
    built = compose(
            "+experiment=grpo", "rollout.temperature=0", "grpo.completions_per_prompt=1", "grpo.updates_per_step=3",
            "evaluation.languages=[fr,xx]", "data.prompts=nowhere.jsonl", "stages=[evaluate,grpo]",
        )  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        check(built)
    text = str(caught.value)
    for part in (
        "rollout.temperature must be above 0", "completions_per_prompt must be at least 2", "multiple of grpo.updates_per_step",
        "unknown language code 'xx'", "nowhere.jsonl is not a file", "stages must be in the order",
    ):  # fmt: skip
        assert part in text


def test_without_an_experiment_the_choices_are_shown(compose):
    with pytest.raises(ConfigError, match=r"choose an experiment: .*adamame_grpo"):
        compose()


def test_a_run_lives_where_its_command_says():
    place = run_directory("runs", "laptop", "grpo", 3, ["+experiment=grpo", "seed=3", "distributed.processes=1"])
    assert place == Path("runs/laptop/grpo/seed3")
    one = run_directory("runs", "laptop", "grpo", 3, ["grpo.steps=5", "sft.epochs=1"])
    two = run_directory("runs", "laptop", "grpo", 3, ["sft.epochs=1", "grpo.steps=5"])
    assert one == two != place


def test_help_and_composition_import_nothing_heavy():
    code = "import src.run, sys; print([m for m in ('torch','transformers','lingua','pandas','matplotlib','wandb','peft') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_users_mistake_ends_with_one_message_and_code_2(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "src.run", "+experiment=grpo", "grpo.stepz=1"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 2 and "Traceback" not in found.stderr and "Did you mean 'steps'" in found.stderr


def test_a_text_with_an_equals_sign_is_told_how_to_be_given(compose):
    with pytest.raises(Exception) as caught:
        compose_node("+experiment=prompts", "prompts.sources=[mgsm=folder]")
    assert "goes into double quotes" in explain(caught.value)
    built = compose("+experiment=prompts", 'prompts.sources=["mgsm=folder"]')
    assert built.prompts.sources == ["mgsm=folder"]


@pytest.mark.parametrize("scale", REAL)
def test_a_real_model_asks_for_the_files_of_the_stages_it_runs(compose, scale):
    for experiment, missing in (
        ("grpo", "benchmark.path, data.prompts, data.sft"), ("sft", "benchmark.path, data.sft"), ("base", "benchmark.path"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"no value yet: {missing}\\. Give each on the command line"):
            compose(f"+experiment={experiment}", f"scale={scale}")
    saved = f"benchmark.completions={Path(__file__)}"
    assert compose("+experiment=evaluate", f"scale={scale}", saved).benchmark.path is None


@pytest.mark.parametrize("scale", REAL)
@pytest.mark.parametrize("experiment", choices("experiment"))
def test_published_settings_stand_but_for_methods_that_are_a_loss_of_their_own(compose, scale, experiment):
    if experiment in OF_THE_USER:
        return
    built = compose(f"+experiment={experiment}", f"scale={scale}", *FILES)
    loss, grpo, sft = built.objective.loss, built.grpo, built.sft
    published = ("sequence_sum", 4096, 0.001, "k3", 0.2, 0.2)
    found = (
        loss.aggregation, loss.maximum_tokens, loss.kl_coefficient, loss.kl_estimator, loss.clip_low, loss.clip_high,
    )  # fmt: skip
    assert (found == published) == (experiment not in OWN_LOSS or experiment == "dr_grpo")  # whose length is the budget
    steps = (grpo.steps, grpo.prompts_per_step, grpo.completions_per_prompt, grpo.updates_per_step)
    assert steps == (90, 512, 8, 2) and grpo.optimiser.rate(0, 90) == grpo.optimiser.rate(89, 90) == 1e-5
    rollout = built.rollout
    assert (rollout.temperature, rollout.top_p, rollout.maximum_new_tokens) == (0.8, 1.0, 4096)
    assert (built.model.lora.rank, built.model.lora.alpha, built.model.dtype) == (32, 64, "bfloat16")
    assert (sft.epochs, sft.sequences_per_step, sft.cutoff, sft.optimiser.learning_rate) == (4, 8, 8192, 2e-4)
    assert (sft.optimiser.warmup, sft.optimiser.decay, built.data.validation_share) == (0.1, "cosine", 0.1)
    assert built.data.instruction == "localised" and built.evaluation.samples == 4
    if experiment == "adamame_grpo":
        assert built.schedule.maximum == 2.0


def test_lengths_of_methods_follow_the_budget(compose):
    assert compose("+experiment=dapo").reward.parts["overlong"].reward.buffer == 19  # a fifth of 96
    assert compose("+experiment=dapo", "scale=qwen3_4b", *FILES).reward.parts["overlong"].reward.buffer == 819
    assert compose("+experiment=dr_grpo").objective.loss.maximum_tokens == 96
