"""Composition: every yaml composes and instantiates; what is wrong is named, with what would be right."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from src.common import registry
from src.common.errors import ConfigError
from src.common.registry import COMPONENTS, CONF, choices, components
from src.config import compose as composition
from src.config.checks import check
from src.config.compose import build
from src.config.directory import differences, directory_of, run_directory
from src.config.explain import explain
from src.pipeline.plan import plan
from tests.helpers.configs import FILES, compose_node
from tests.helpers.paths import ROOT

BASE = ROOT / "experiments/base_model/base_small"
# What only the user can say.
OF_THE_USER = {
    "traces": ("traces.questions=[world@train]", "traces.teacher.model=m"),
    "prompts": ("prompts.sources=[world@train]",),
    **dict.fromkeys(("merge", "merge_grpo"), (f"merge.models=[{BASE},{BASE}]",)),
}

REAL = ("distill_1_5b", "distill_7b", "qwen3_4b")
PRETRAINED = (*REAL, "smollm2_135m")


@pytest.mark.parametrize("experiment", choices("experiment"))
@pytest.mark.parametrize("scale", choices("scale"))
def test_every_experiment_runs_at_every_scale(compose, experiment, scale):
    own = FILES if scale in REAL else ()
    built = compose(f"+experiment={experiment}", f"scale={scale}", *OF_THE_USER.get(experiment, ()), *own)
    assert built.method == experiment or (experiment == "evaluate" and built.method.startswith("evaluate-"))
    assert built.scale == scale
    if experiment == "pretrain" and scale in PRETRAINED:  # composes, and says why it cannot run
        with pytest.raises(ConfigError, match="model.path must be 'world'"):
            check(built)
    else:
        check(built)


GROUPS = [p for p in sorted(CONF.iterdir()) if p.is_dir() and p.name not in ("cluster", "experiment", "scale")]
ROUTES = Path(__file__).parents[2] / "helpers" / "routes.json"
# What a choice cannot do without.
NEEDS = {
    ("benchmark", "mgsm_rev2"): (f"benchmark.path={Path(__file__).parent}",),
    ("rollout", "scripted"): (f"rollout.script={Path(__file__)}",),
    **{("reward", name): ("objective=grpo",) for name in ("accuracy_overlong", "overlong")},
    **{("reward", name): ("objective=grpo",) for name in ("code_switch_penalty", "repetition_penalty")},
    **{("reward", name): ("objective=grpo",) for name in ("m_thinker", "pivot_plain")},
    **{
        ("strategy", name): ("stages=[evaluate,report]",)
        for name in ("clp", "clsp", "translate", "random_cot", "selective")
    },
    ("strategy", "route"): (f"strategy.routes={ROUTES}",),
    ("mix", "xrft"): (f"data.samples={Path(__file__)}",),
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
        (
            ["warmup=0.1"],
            "unknown key 'warmup'. Did you mean pretrain.optimiser.warmup or sft.optimiser.warmup or grpo",
        ),
        (["grpo.warmup=0.1"], "unknown key 'grpo.warmup'. Did you mean grpo.optimiser.warmup?"),
        (["world.languages=fr"], "world.languages is a list: write world.languages=[fr]"),
        (["stages=sft"], "stages is a list: write stages=[sft]"),
        (["sft=3"], "sft is a group of settings: give one of them, sft.<name>=<value>"),
        (["seed"], "settings are given as key=value; got 'seed'"),
        (["root=a=b"], "all of it into single ones: 'root=\"a=b\"'"),
    ],
)
def test_a_mistake_fails_at_composition_and_is_named(overrides, message):
    with pytest.raises(Exception) as caught:
        compose_node("+experiment=grpo", *overrides)
    assert message in explain(caught.value)


def test_check_lists_every_broken_rule_at_once(compose):
    built = compose(
        "+experiment=grpo",
        "rollout.temperature=0",
        "grpo.completions_per_prompt=1",
        "grpo.updates_per_step=3",
        "evaluation.languages=[fr,xx]",
        "data.prompts=nowhere.jsonl",
        "stages=[evaluate,grpo]",
    )
    with pytest.raises(ConfigError) as caught:
        check(built)
    text = str(caught.value)
    for part in (
        "rollout.temperature must be above 0 for stage grpo",
        "completions_per_prompt must be at least 2",
        "multiple of grpo.updates_per_step",
        "unknown language code 'xx'",
        "nowhere.jsonl is not a file",
        "stages must be in the order",
    ):
        assert part in text


@pytest.mark.parametrize("code", ["sw", "zh", "vi"])
def test_a_schedule_for_a_language_that_grpo_never_asks_in_is_refused(compose, code):
    """The world trains fr, ja, ko, pt, th; a file of questions is looked into when it is read."""
    own = f"schedule.per_language.{code}.maximum=4"
    with pytest.raises(
        ConfigError, match=rf"schedule.per_language.{code}: .* world.trained_languages has fr, ja, ko, pt, th"
    ):
        check(compose("+experiment=adamame_grpo", own))
    check(compose("+experiment=adamame_grpo", "schedule.per_language.ja.maximum=4"))
    check(compose("+experiment=adamame_grpo", own, f"data.prompts={Path(__file__)}"))
    check(compose("+experiment=evaluate", own))


@pytest.mark.parametrize(
    ("experiment", "override", "message"),
    [
        ("grpo", "seed=-1", "seed must be 0 or more; got -1"),
        ("grpo", "world.steps=[1]", "world.steps must hold a number above 1"),
        ("evaluate", "evaluation.splits=[test,train]", "the problems of train differ from language to language"),
        ("evaluate", "benchmark=jsonl", "benchmark=jsonl needs a file: benchmark.questions_file="),
        ("evaluate", "evaluation.temperature=-1", "evaluation.temperature must be 0"),
        ("evaluate", "evaluation.top_p=0", "evaluation.top_p must be in"),
        ("sft", "world.languages=[fr,en]", "world.trained_languages must be among world.languages"),
    ],
)
def test_a_broken_rule_is_said_before_the_run(compose, experiment, override, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        check(compose(f"+experiment={experiment}", override))


def test_an_evaluation_is_not_held_to_the_rules_of_training(compose):
    check(compose("+experiment=evaluate", "world.languages=[de]", "evaluation.languages=[de]", "rollout.temperature=0"))
    check(
        compose("+experiment=evaluate", "evaluation.splits=[train]", "evaluation.languages=[de]", "world.steps=[1,2]")
    )
    with pytest.raises(ConfigError, match=r"evaluation.samples must be 1 at temperature 0"):
        check(compose("+experiment=evaluate", "evaluation.temperature=0", "evaluation.samples=2"))


def test_an_evaluation_is_sampled_as_it_says_and_else_as_training(compose):
    own = compose("+experiment=grpo", "rollout.temperature=0.8", "rollout.min_p=0.1", "evaluation.temperature=0.6")
    sampling = own.evaluation.sampling(own.rollout)
    assert (sampling.temperature, sampling.top_p, sampling.min_p) == (0.6, 1.0, 0.1)
    plain = compose("+experiment=grpo", "rollout.temperature=0.8", "evaluation.top_p=0.9")
    assert (plain.evaluation.sampling(plain.rollout).temperature, plain.evaluation.sampling(plain.rollout).top_p) == (
        0.8,
        0.9,
    )
    greedy = compose("+experiment=grpo", "evaluation.temperature=0").evaluation.sampling(plain.rollout)
    assert (greedy.temperature, greedy.top_p, greedy.top_k, greedy.min_p) == (1.0, 1.0, 1, 0.0)


def test_a_yaml_without_its_schema_is_named(tmp_path):
    file = copied(tmp_path) / "conf" / "reward" / "plain.yaml"
    file.write_text("weight: 2.0\n")
    command = [sys.executable, "-m", "src", "memory", "+experiment=grpo", "reward=plain"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "/schema/reward/<module>" in done.stderr and "Traceback" not in done.stderr


def test_without_an_experiment_the_choices_are_shown(compose):
    with pytest.raises(ConfigError, match=r"choose an experiment: .*adamame_grpo"):
        compose()


def test_a_run_lives_where_its_command_says():
    place = directory_of(["+experiment=grpo", "seed=3", "distributed.processes=1"])
    assert place == Path("runs/laptop/grpo/seed3")
    one = directory_of(["+experiment=grpo", "seed=3", "grpo.steps=5", "sft.epochs=2"])
    two = directory_of(["+experiment=grpo", "seed=3", "sft.epochs=2", "grpo.steps=5"])
    assert one == two != place
    assert one.parent == place.parent and re.fullmatch(r"seed3-[0-9a-f]{8}", one.name)


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_a_run_as_its_files_have_it_has_no_suffix(experiment):
    """Each experiment at one scale, so that every scale has its turn."""
    scale = choices("scale")[choices("experiment").index(experiment) % len(choices("scale"))]
    place = directory_of([f"+experiment={experiment}", f"scale={scale}"])
    assert (
        place.name == "seed0"
        and place.parent.name.startswith(experiment)
        and place.parent.parent == Path("runs", scale)
    )


@pytest.mark.parametrize(
    "spellings",
    [
        (["schedule.maximum=1"], ["schedule.maximum=1.0"], ["++schedule.maximum=1"], ["schedule.maximum=1e0"]),
        (["schedule.per_language.sw.maximum=1"], ["schedule.per_language.sw.maximum=1.0"]),
        (["pretrain.from_scratch=true"], ["pretrain.from_scratch=True"]),
        (["stages=[sft, grpo]"], ["stages=[sft,grpo]"]),
        ([], ["schedule=cosine"], ["schedule.maximum=2"], ["schedule.maximum=2.0", "world=small"], ["reward=accuracy"]),
        ([], ["tracking=wandb"], ["cluster.minutes=5"], ["cluster=local"], ["distributed.processes=2"]),
        ([], ["rollout.timeout_s=5"], ["rollout.probe_rows=0"], ["rollout.vllm.sleep=false"], ["checkpoint.keep=1"]),
        (
            ["rollout.maximum_new_tokens=64", "evaluation.seed=3"],
            ["evaluation.seed=3", "rollout.maximum_new_tokens=64"],
        ),
    ],
)
def test_a_runs_directory_follows_the_configuration_not_the_spelling(spellings):
    assert len({directory_of(["+experiment=adamame_grpo", *overrides]) for overrides in spellings}) == 1


def test_settings_that_count_give_a_directory_each():
    settings = (
        [],
        ["schedule.maximum=1"],
        ["schedule=linear"],
        ["schedule.per_language.sw.maximum=1"],
        ["grpo.steps=5"],
        ["seed=1"],
        ["rollout.temperature=0.5"],
        ["benchmark=jsonl"],
        ["evaluation.seed=1"],
        ["world=weak"],
        ["scale=tiny"],
        ["method=x"],
        ["rollout=vllm"],
    )
    directories = {directory_of(["+experiment=adamame_grpo", *overrides]) for overrides in settings}
    assert len(directories) == len(settings)


def test_a_setting_that_follows_the_seed_is_no_other_setting():
    same = ["+experiment=grpo", "evaluation.seed=${seed}"]
    names = [directory_of([*same, f"seed={seed}"]).name for seed in (0, 7)]
    assert names[0] == "seed0" and names[1] == directory_of(["+experiment=grpo", "evaluation.seed=7", "seed=7"]).name
    assert run_directory(composition.compose(same), seed=7).name == names[1]


def test_what_is_not_hashed_is_a_list_of_whole_keys():
    there = {"seed": 0, "rollout": {"vllm": {"sleep": True}, "temperature": 1.0}, "weights": {"a": 1}}
    here = {
        "seed": 1,
        "rollout": {"vllm": {"sleep": False}, "temperature": 1},
        "seedling": {"rate": 3},
        "rootwords": 2,
        "rollout_vllm": 1,
        "clusters": [1.0, {"b": 2.0}],
    }
    assert differences(here, there) == [
        ["clusters", '[1, {"b": 2}]'],
        ["rollout_vllm", "1"],
        ["rootwords", "2"],
        ["seedling.rate", "3"],
        ["weights.a"],
    ]
    assert differences({"a": True}, {"a": 1}) == [["a", "true"]]
    assert differences({"data": {"sft": "?"}}, {"data": {"sft": None}}) == []


def test_a_component_counts_by_its_class_and_not_by_where_its_module_lies():
    settings = {"reward": {"_target_": "src.rewards.accuracy.Accuracy"}}
    assert differences(settings, {"reward": {"_target_": "src.rewards.plain.accuracy.Accuracy"}}) == []
    assert differences(settings, {"reward": {"_target_": "src.rewards.fidelity.InLanguage"}}) == [
        ["reward._target_", '"Accuracy"']
    ]


def test_a_run_makes_the_directory_that_is_computed_for_it(tmp_path):
    command = [
        "+experiment=sft",
        "stages=[traces]",
        'traces.questions=["world@train"]',
        "traces.teacher.model=m",
        f"root={tmp_path}",
        "traces.teacher.budget=0.0",
        "traces.problems=1",
        "evaluation.seed=${seed}",
        "seed=4",
        "traces.teacher.url=http://127.0.0.1:9",
        "traces.teacher.retries=0",
        "traces.languages=[fr]",
    ]
    subprocess.run([sys.executable, "-m", "src.run", *command], cwd=ROOT, capture_output=True, text=True)
    assert [path.parent for path in tmp_path.rglob("config.yaml")] == [directory_of(command)]


def test_help_and_composition_import_nothing_heavy():
    code = "import src.run, sys; print([m for m in ('torch','transformers','lingua','pandas','matplotlib','wandb','peft') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_users_mistake_ends_with_one_message_and_code_2(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "src.run", "+experiment=grpo", "grpo.stepz=1"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr and "Did you mean 'steps'" in done.stderr


def test_a_text_with_an_equals_sign_is_told_how_to_be_given(compose):
    with pytest.raises(Exception) as caught:
        compose_node("+experiment=prompts", "prompts.sources=[mgsm=folder]")
    assert "goes into double quotes" in explain(caught.value)
    built = compose("+experiment=prompts", 'prompts.sources=["mgsm=folder"]')
    assert built.prompts.sources == ["mgsm=folder"]


@pytest.mark.parametrize("scale", REAL)
def test_a_real_model_asks_for_the_files_of_the_stages_it_runs(compose, scale):
    for experiment, missing in (
        ("grpo", "benchmark.path, data.prompts, data.sft"),
        ("sft", "benchmark.path, data.sft"),
        ("base", "benchmark.path"),
    ):
        with pytest.raises(ConfigError, match=f"no value yet: {missing}\\. Give each on the command line"):
            compose(f"+experiment={experiment}", f"scale={scale}")
    saved = f"benchmark.completions={Path(__file__)}"
    assert compose("+experiment=evaluate", f"scale={scale}", saved).benchmark.path is None


def own_loss(experiment):
    """The settings of the loss that the files of a method have themselves: its own, and those of its objective."""

    def read(path):
        content = yaml.safe_load(path.read_text()) or {}
        there = dict((content.get("objective") or content).get("loss") or {})
        for default in content.get("defaults") or ():
            for group, name in default.items() if isinstance(default, dict) else [("", default)]:
                if group in ("", "/objective", "override /objective") and name != "_self_":
                    folder = CONF / "objective" if group else path.parent
                    there = read(folder / f"{str(name).removeprefix('/objective/')}.yaml") | there
        return there

    return read(CONF / "experiment" / f"{experiment}.yaml")


def test_what_a_method_says_of_its_loss_is_read_off_its_files():
    assert {"clip_high", "aggregation"} <= own_loss("dapo").keys() and own_loss("gspo")["ratio"] == "sequence"
    assert own_loss("adamame_grpo") == own_loss("sft") == {}


@pytest.mark.parametrize("scale", REAL)
@pytest.mark.parametrize("experiment", choices("experiment"))
def test_published_settings_stand_but_for_methods_that_are_a_loss_of_their_own(compose, scale, experiment):
    if experiment in OF_THE_USER:
        return
    built = compose(f"+experiment={experiment}", f"scale={scale}", *FILES)
    loss, grpo, sft = built.objective.loss, built.grpo, built.sft
    published = {
        "aggregation": "sequence_sum",
        "maximum_tokens": 4096,
        "kl_coefficient": 0.001,
        "kl_estimator": "k3",
        "clip_low": 0.2,
        "clip_high": 0.2,
    }
    own = own_loss(experiment)
    for name, value in published.items():
        said = own.get(name, value)
        assert getattr(loss, name) == (value if str(said).startswith("$") else said), name
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


def copied(tmp_path):
    """The code and configuration in a folder that a test may change."""
    for part in ("src", "conf"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "base_*"))
    return tmp_path


TWO = "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass One:\n    pass\n\n\n@dataclass(frozen=True)\nclass Two:\n    pass\n"


@pytest.mark.parametrize(
    "command",
    [["src.run", "+experiment=grpo"], ["src", "memory", "+experiment=grpo"], ["src", "run", "+experiment=grpo"]],
)
def test_a_component_file_with_two_dataclasses_is_named_without_a_trace(tmp_path, command):
    (copied(tmp_path) / "src" / "rewards" / "twice.py").write_text(TWO)
    done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        "error: src/rewards/twice.py must define exactly one dataclass, the component of group reward; it defines 2 (One, Two). "
        "Move the others to base.py, or to a module outside this package or in its SUPPORT\n"
    )


def test_a_component_file_without_a_dataclass_or_that_cannot_be_imported_is_named(tmp_path):
    file = copied(tmp_path) / "src" / "algorithm" / "schedules" / "odd.py"
    ran = []
    for content in ("LIMIT = 3\n", "import no_such_library\n"):
        file.write_text(content)
        command = [sys.executable, "-m", "src", "memory", "+experiment=grpo"]
        ran.append(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True))
    assert ran[0].returncode == 2 and "Traceback" not in ran[0].stderr
    assert "src/algorithm/schedules/odd.py must define exactly one dataclass" in ran[0].stderr
    assert "it defines 0 (none). Define it" in ran[0].stderr
    assert ran[1].returncode == 2 and ran[1].stderr == (
        "error: the component src/algorithm/schedules/odd.py cannot be imported: ModuleNotFoundError: No module named "
        "'no_such_library' (line 1)\n"
    )


def test_a_choice_without_the_schema_of_its_group_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "CONF", tmp_path / "conf")
    (tmp_path / "conf" / "benchmark").mkdir(parents=True)
    (tmp_path / "conf" / "benchmark" / "mine.yaml").write_text("defaults: [_self_]\n")
    with pytest.raises(ConfigError, match=r"conf/benchmark/mine.yaml must have exactly one /schema/benchmark/<module>"):
        registry.choice("benchmark", "mine")


def test_what_a_choice_gives_is_what_composition_makes_of_it():
    kind, settings = registry.choice("benchmark", "math500")
    assert (kind.__name__, settings["parts"]) == ("Mmath", ["math500"])
    kind, settings = registry.choice("schedule", "staged")
    assert kind(**settings) == build(compose_node("+experiment=grpo", "schedule=staged")).schedule


# What lies on disk must still be found: one that changes is a breaking change.
IDENTITIES = {
    "grpo tiny": (
        ["+experiment=grpo", "scale=tiny"],
        {
            "pretrain": "9f541efdd361",
            "sft": "d3092580fe59",
            "grpo": "7eddaaa96c76",
            "evaluate": "0b8e5c52f8a5",
            "report": "f4fbe74baa14",
        },
    ),
    "adamame": (
        [
            "+experiment=adamame_grpo",
            "schedule.maximum=1",
            "schedule.per_language.sw.maximum=4",
            "pretrain.from_scratch=true",
            "seed=3",
        ],
        {
            "pretrain": "72157b1f48d6",
            "sft": "207d187701bc",
            "grpo": "5b6a4f5ed423",
            "evaluate": "1a40e60f0fbe",
            "report": "df45ff556188",
        },
    ),
    "vllm": (
        ["+experiment=lagrangian", "rollout=vllm", "rollout.top_k=5", "model.path=org/name", "evaluation.every=2"],
        {"sft": "be6aaf30600a", "grpo": "bb33be2722c6", "evaluate": "717116f522ae", "report": "5240f77ac47b"},
    ),
    "benchmark": (
        ["+experiment=evaluate", "benchmark=math500", "model.path=org/name"],
        {"evaluate": "bb2af99be860", "report": "d1b8fd1a93b4"},
    ),
    "completions": (
        ["+experiment=evaluate", "benchmark=aime", "model.path=org/name", "evaluation.samples=4"],
        {"evaluate": "17d9123d40e8", "report": "8edc9ab4db9a"},
    ),
    "traces": (
        ["+experiment=traces", "traces.questions=[world@train]", "traces.teacher.model=m", "traces.teacher.budget=5"],
        {"traces": "685baf78b898"},
    ),
    "prompts": (
        ["+experiment=prompts", "prompts.sources=[world@train]", "prompts.against=[world@test]"],
        {"prompts": "afd0dee38ecc"},
    ),
    "prompts by difficulty": (
        [
            "+experiment=prompts",
            "prompts.sources=[world@train]",
            "prompts.difficulty.rollouts=4",
            "model.path=org/name",
        ],
        {"prompts": "fe68217ec051"},
    ),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_what_identifies_a_result_stays(name, monkeypatch):
    monkeypatch.setattr("src.pipeline.plan.scoring", lambda: {"scoring rule": "1"})
    overrides, expected = IDENTITIES[name]
    planned = plan(build(compose_node(*overrides)), Path("R"))
    assert {stage.name: stage.identity for stage in planned} == expected


def test_pass_at_k_is_refused_beyond_the_samples_before_anything_starts(compose):
    asked = compose("+experiment=base", "evaluation.samples=4", "evaluation.pass_at=[1,5,0]")
    with pytest.raises(ConfigError) as caught:
        check(asked)
    assert "pass@k is computed; got 5 with 4 samples" in str(caught.value)
    assert "must list numbers of samples, 1 or more; got 0" in str(caught.value)
    check(compose("+experiment=base", "evaluation.samples=4", "evaluation.pass_at=[1,4]"))
