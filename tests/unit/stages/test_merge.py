"""The stage merge: what it is given, what its identity depends on, and what comes of it, killed or not."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from src.common.errors import ConfigError, UserError
from src.config.checks import check
from src.pipeline import plan as planning
from src.pipeline.execute import execute
from src.pipeline.memory import shape_of
from src.pipeline.plan import plan
from src.pipeline.stage import module_of
from src.store.directory import MODEL_STAGES, STAGES
from src.store.results import last_model, model_at, note_model, origin
from tests.helpers.configs import compose, prepare
from tests.helpers.models import drifted
from tests.helpers.paths import ROOT


@pytest.fixture(scope="session")
def experts(random_model, tmp_path_factory):
    """Two models that were trained from the random one."""
    folder = tmp_path_factory.mktemp("experts")
    return [drifted(random_model, folder / name, seed) for seed, name in enumerate(("maths", "language"))]


def models(*folders):
    return f"merge.models=[{','.join(map(str, folders))}]"


def run(tmp_path, *overrides):
    config, directory = prepare(tmp_path, *overrides)
    execute(config, directory, directory / "config.yaml")
    return config, directory


def identity(*overrides):
    """Of the stage merge."""
    return next(stage.identity for stage in plan(compose(*overrides), Path("x")) if stage.name == "merge")


def violations(*overrides):
    with pytest.raises(ConfigError) as caught:
        check(compose(*overrides))
    return str(caught.value)


def test_the_stage_stands_between_pretraining_and_sft():
    assert STAGES == ("traces", "pretrain", "merge", "sft", "prompts", "grpo", "evaluate", "report")
    config = compose("+experiment=grpo")
    assert tuple(name for name in STAGES if module_of(name).declare(config).makes_model) == MODEL_STAGES


@pytest.mark.parametrize("rule", ["linear", "task_arithmetic", "ties", "dare", "layer_swap"])
def test_later_stages_start_from_the_merged_model(tmp_path, overrides, experts, rule):
    config, directory = run(
        tmp_path,
        "+experiment=merge",
        *overrides,
        f"merge={rule}",
        models(*experts),
        "stages=[merge,sft]",
        "sft.epochs=1",
    )
    merged = directory / "merge" / "model"
    sft = plan(config, directory)[1]
    assert sft.model == str(merged) and (sft.result / "model.safetensors").is_file()
    note = json.loads((merged / "made_by.json").read_text())
    assert note["stage"] == "merge" and note["settings"]["is"].lower() == rule.replace("_", "")
    tensors = [load_file(folder / "model.safetensors") for folder in (merged, *experts)]
    assert tensors[0].keys() == tensors[1].keys()
    assert not torch.equal(*(t["model.layers.0.mlp.up_proj.weight"] for t in tensors[:2]))
    assert last_model(directory) == sft.result  # shared, and noted in the run
    assert origin(merged) in (None, origin(sft.result))  # unknown where no base was looked at
    before = (merged / "model.safetensors").read_bytes()
    execute(config, directory, directory / "config.yaml")
    assert (merged / "model.safetensors").read_bytes() == before


def test_a_merged_model_is_evaluated(tmp_path, overrides, experts):
    _, directory = run(tmp_path, "+experiment=merge", *overrides, models(*experts), "merge.weights=[0.25,0.75]")
    assert (directory / "evaluate" / "records.parquet").is_file() and (directory / "report" / "report.html").is_file()


def test_runs_are_given_by_their_directories(tmp_path, overrides):
    runs = []
    for seed in (0, 1):
        _, directory = run(
            tmp_path / str(seed), "+experiment=sft", *overrides, "stages=[sft]", f"seed={seed}", "sft.epochs=1"
        )
        runs.append(directory)
    places = [last_model(directory) for directory in runs]
    assert len(set(places)) == 2 and all(place.parent.name.startswith("sft-") for place in places)
    assert [model_at(str(directory)) for directory in runs] == [str(place) for place in places]
    assert model_at(str(places[0].parent)) == str(places[0])  # the folder of a stage
    given = ["+experiment=merge", *overrides, "merge=ties"]
    assert identity(*given, models(*runs)) == identity(*given, models(*places))
    assert origin(places[0]) == origin(places[1]) is not None
    _, merged = run(tmp_path / "merged", *given, models(*runs), "stages=[merge]")
    assert last_model(merged) == merged / "merge" / "model"


def test_what_a_run_has_not_made_is_not_merged(tmp_path, overrides, experts):
    _, directory = run(tmp_path, "+experiment=merge", *overrides, models(*experts), "stages=[merge]")
    text = (directory / "config.yaml").read_text()
    (directory / "config.yaml").write_text(text.replace("- merge\n", "- merge\n- grpo\n"))
    with pytest.raises(UserError, match="must have made its last model; stage grpo has left none"):
        last_model(directory)
    (directory / "config.yaml").write_text(text.replace("- merge\n", "- evaluate\n"))
    with pytest.raises(UserError, match="must train a model; its stages are"):
        last_model(directory)


def test_a_run_that_was_moved_with_the_shared_stages_still_has_its_model(tmp_path):
    run_directory = tmp_path / "new" / "tiny" / "sft" / "seed0"
    place = tmp_path / "new" / "tiny" / "shared" / "sft-0123" / "model"
    for folder in (run_directory, place):
        folder.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    (run_directory / "config.yaml").write_text("stages: [sft]\n")
    note_model(run_directory, "sft", Path("old/tiny/shared/sft-0123/model"))
    assert last_model(run_directory) == place


def test_identity_follows_content_and_not_paths(tmp_path, overrides, experts):
    given = ["+experiment=merge", *overrides, "merge=linear"]
    copies = [shutil.copytree(folder, tmp_path / f"copy-{folder.name}") for folder in experts]
    first = identity(*given, models(*experts))
    assert identity(*given, models(*copies)) == first
    assert identity(*given, models(*experts), "merge.weights=[1,1]") == first  # the default
    assert identity(*given, models(*experts), "merge.weights=[1,2]") != first
    assert identity(*given, models(*reversed(experts))) != first
    for change in (
        lambda folder: save_file({"x": torch.ones(1)}, folder / "extra.bin"),
        lambda folder: (folder / "chat_template.jinja").write_text("other"),
    ):
        change(copies[0])
        changed = identity(*given, models(*copies))
        assert changed != first
        first = changed


def test_identity_follows_the_base_and_the_seed_where_they_count(tmp_path, overrides, experts, random_model):
    base = shutil.copytree(random_model, tmp_path / "base")
    given = ["+experiment=merge", *overrides, "merge=dare", models(*experts)]
    first = identity(*given, f"merge.base={base}")
    assert identity(*given, f"merge.base={base}", "seed=1") != first
    (base / "generation_config.json").write_text("{}")
    assert identity(*given, f"merge.base={base}") != first
    linear = [*given[:-2], "merge=linear", given[-1]]
    assert identity(*linear) == identity(*linear, "seed=1") == identity(*linear, f"merge.base={base}")


def test_a_folder_with_another_merge_in_it_is_refused(tmp_path, overrides, experts):
    given = ("+experiment=merge", *overrides, "stages=[merge]")
    run(tmp_path, *given, models(*experts))
    with pytest.raises(ConfigError, match="holds the work of another configuration:\n  - merge.weights"):
        run(tmp_path, *given, models(*experts), "merge.weights=[1,2]")


def test_models_of_two_bases_are_refused_before_anything_runs(tmp_path, overrides, random_model):
    other = drifted(random_model, tmp_path / "other-base", 7)
    runs = [
        run(tmp_path / base.name, "+experiment=sft", *overrides, f"model.path={base}", "stages=[sft]", "sft.epochs=1")[
            1
        ]
        for base in (random_model, other)
    ]
    config = compose("+experiment=merge", *overrides, models(*runs))
    check(config)
    with pytest.raises(UserError, match="must be trained from one base; these are of several"):
        plan(config, tmp_path / "run")
    alone = compose("+experiment=merge", *overrides, "merge=ties", models(runs[1]))
    with pytest.raises(UserError, match=r"(?s)from one base.*merge.base=<folder>"):
        plan(alone, tmp_path / "run")
    assert plan(
        compose("+experiment=merge", *overrides, "merge=ties", models(runs[1]), f"merge.base={other}"), tmp_path
    )


def test_adapters_are_merged_on_the_base_they_name(tmp_path, overrides, experts, random_model):
    from src.models.load import add_lora, load_model
    from src.models.spec import LoraSpec, ModelSpec

    folder = tmp_path / "adapters"
    policy = add_lora(load_model(random_model, ModelSpec()), LoraSpec(rank=2, alpha=4))
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.1)
    policy.save_pretrained(folder)
    given = ("+experiment=merge", *overrides, models(folder, experts[0]), "stages=[merge]")
    _, directory = run(tmp_path, *given)
    name = "model.layers.0.mlp.up_proj"
    stored = load_file(folder / "adapter_model.safetensors")
    a, b = (stored[f"base_model.model.{name}.lora_{half}.weight"] for half in "AB")
    base, expert = (load_file(path / "model.safetensors")[f"{name}.weight"] for path in (random_model, experts[0]))
    merged = load_file(directory / "merge" / "model" / "model.safetensors")[f"{name}.weight"]
    torch.testing.assert_close(merged, (base + 2 * b @ a + expert) / 2)
    with pytest.raises(UserError, match=r"on the base that they were trained on; they name .* merge.base="):
        plan(compose(*given, f"merge.base={experts[1]}"), tmp_path)
    assert shape_of(compose(*given)).layers == 2


@pytest.mark.parametrize(
    ("overrides_of_merge", "message"),
    [
        (["merge.models=[]"], "merge.models must name at least 2 models with merge=linear; got 0"),
        (["merge.models=[nowhere/at/all,{0}]"], "merge.models: nowhere/at/all: no such folder of a model"),
        (["merge.models=[{0}]"], "at least 2 models with merge=linear; got 1"),
        (["merge=layer_swap", "merge.models=[{0},{1},{1}]"], "must name 2 models with merge=layer_swap; got 3"),
        (["merge.models=[{0},{1}]", "merge.weights=[nan,1]"], "merge.weights must be finite numbers; got nan"),
        (["merge.models=[{0},{1}]", "merge.weights=[1,-inf]"], "merge.weights must be finite numbers; got -inf"),
        (["merge.models=[{0},{1}]", "merge.weights=[1]"], "one weight for each of merge.models; got 1 for 2"),
        (["merge=ties", "merge.models=[{0}]", "merge.base=./no"], "merge.base: ./no: no such folder"),
        (["merge.models=[{0},{1}]", "stages=[sft]"], "merge.models needs stage merge; got stages ['sft']"),
        (["merge.models=[{0},{1}]", "stages=[sft,merge]"], "stages must be in the order"),
    ],
)
def test_what_cannot_be_merged_is_refused_in_validation(overrides, experts, overrides_of_merge, message):
    wanted = [text.format(*experts) for text in overrides_of_merge]
    assert message in violations("+experiment=merge", *overrides, *wanted)


def test_an_unknown_rule_is_named_with_the_nearest():
    done = subprocess.run(
        [sys.executable, "-m", "src.run", "+experiment=merge", "merge=tie"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "merge has no choice 'tie'. Did you mean 'ties'?" in done.stderr


def test_models_that_are_not_alike_end_the_plan(tmp_path, overrides, experts):
    other = shutil.copytree(experts[1], tmp_path / "other")
    stored = load_file(other / "model.safetensors")
    save_file(
        {name: tensor.bfloat16() for name, tensor in stored.items()}, other / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(UserError, match="must have the same dtype; .* is F32 .* and BF16 .* Save all in one dtype"):
        plan(compose("+experiment=merge", *overrides, models(experts[0], other)), tmp_path)


def test_models_with_a_base_of_their_own_need_none_of_the_run(tmp_path, experts, random_model):
    """At a scale that pretrains its own base nothing is pretrained for them; a rule that needs the base has it made."""
    given = ("+experiment=merge", "scale=tiny", models(*experts))
    assert [stage.name for stage in plan(compose(*given), tmp_path)] == ["merge", "evaluate", "report"]
    based = (*given, "merge=ties", f"merge.base={random_model}")
    assert [stage.name for stage in plan(compose(*based), tmp_path)] == ["merge", "evaluate", "report"]
    assert planning.stages(compose(*given, "merge=ties"))[:2] == ["pretrain", "merge"]


def test_the_base_is_one_of_the_models_by_the_name_it_has_as_model_path(tmp_path, overrides, experts, random_model):
    _, directory = run(tmp_path, "+experiment=merge", *overrides, models(random_model, *experts), "stages=[merge]")
    name = "model.layers.1.self_attn.q_proj.weight"
    parts = [load_file(folder / "model.safetensors")[name] for folder in (random_model, *experts)]
    merged = load_file(directory / "merge" / "model" / "model.safetensors")[name]
    torch.testing.assert_close(merged, sum(parts) / 3)


@pytest.mark.slow
def test_killed_in_the_middle_it_ends_with_the_same_bytes(tmp_path, overrides, experts):
    def command(root):
        settings = [text for text in overrides if not text.startswith("root=")]
        given = ["+experiment=merge", *settings, "merge=dare", models(*experts), "stages=[merge]", f"root={root}"]
        return [sys.executable, "-m", "src.run", *given]

    def merged(root):
        (folder,) = (path for path in root.rglob("merge/model") if path.is_dir())
        assert not list(root.rglob("*.partial"))
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    straight, broken = tmp_path / "straight", tmp_path / "broken"
    subprocess.run(command(straight), cwd=ROOT, check=True, capture_output=True)
    process = subprocess.Popen(
        command(broken), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.time() + 120
    while (
        process.poll() is None
        and not list(broken.rglob("merge/model.partial/*.safetensors"))
        and time.time() < deadline
    ):
        time.sleep(0.001)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not list(broken.rglob("merge/model"))
    subprocess.run(command(broken), cwd=ROOT, check=True, capture_output=True)
    assert merged(broken) == merged(straight)
