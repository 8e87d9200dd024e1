"""The stages as a whole: a run from end to end, what it leaves, what it refuses, and hostile rollouts."""

import dataclasses
import json

import pytest

from src.common.errors import ConfigError
from src.pipeline.execute import execute
from src.pipeline.plan import plan
from src.rollout.engines.scripted import ScriptedEngine
from src.stages import grpo
from src.store.rollouts import read_rollouts, steps_of
from src.tracking.glossary import require
from src.tracking.metrics_file import read_metrics
from tests.helpers.configs import prepare

HOSTILE = [
    "",
    "\\boxed{5}",
    "no answer",
    "\n</think>",
    "\n</think>\\boxed{1}\\boxed{2}",
    "\n</think>\\boxed{" + "{" * 20,
    "\n</think>\\boxed{9^{9^{9^9}}}",
    "\n</think>" + "[" * 300,
]


def test_a_run_from_end_to_end(tmp_path, overrides):
    built, directory = prepare(tmp_path, "+experiment=adamame_grpo", *overrides)
    assert execute(built, directory, directory / "config.yaml") is True
    lines = read_metrics(directory / "grpo" / "metrics.jsonl")
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    for name in lines[0]:
        if name not in ("stage", "step", "time"):
            require(name)
    assert [round(line["alignment_factor"], 4) for line in lines] == [0.2, 0.2929, 1.0, 1.7071]  # 2 max((1-cos)/2, 0.1)
    assert steps_of(directory / "grpo" / "rollouts") == [1, 2, 3, 4]
    row = read_rollouts(directory / "grpo" / "rollouts", 2)[0]
    assert {
        "question",
        "completion",
        "detected",
        "reward",
        "alignment_term",
        "advantage",
        "logprob_mean",
    } <= row.keys()
    assert len(read_rollouts(directory / "grpo" / "rollouts", 2)) == 16
    import pandas

    records = pandas.read_parquet(directory / "evaluate" / "records.parquet")
    assert len(records) == 2 * 2 * 3  # splits x languages x problems
    for name in ("report.html", "report.md", "table.csv", "pareto-test.png", "languages-shift.png", "training.png"):
        assert (directory / "report" / name).stat().st_size > 0
    assert execute(built, directory, directory / "config.yaml") is False  # finished: nothing left to do


def test_arms_share_one_sft_stage(tmp_path, overrides):
    for method in ("sft", "grpo"):
        built, directory = prepare(tmp_path, f"+experiment={method}", "stages=[sft]", *overrides)
        execute(built, directory, directory / "config.yaml")
    assert len(list((tmp_path / "runs" / "tiny" / "shared").glob("sft-*"))) == 1


def test_a_folder_of_another_configuration_is_refused_naming_the_difference(tmp_path, overrides):
    built, directory = prepare(tmp_path, "+experiment=grpo", "stages=[evaluate]", *overrides)
    execute(built, directory, directory / "config.yaml")
    other, _ = prepare(tmp_path, "+experiment=grpo", "stages=[evaluate]", *overrides, "evaluation.problems=2")
    with pytest.raises(ConfigError, match=r"evaluation\.problems: there 3, here 2"):
        execute(other, directory, directory / "config.yaml")


def test_hostile_rollouts_are_counted_and_never_raise(tmp_path, overrides, monkeypatch):
    built, directory = prepare(
        tmp_path,
        "+experiment=adamame_grpo",
        "stages=[grpo]",
        *overrides,
        "grpo.steps=1",
        "grpo.completions_per_prompt=8",
        "rollout.maximum_new_tokens=400",
        "grader.timeout=1",
    )

    def scripted(spec, model, tokenizer):
        def reply(prompt, index):
            return [*tokenizer(HOSTILE[index], add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

        return ScriptedEngine(reply, tokenizer.eos_token_id)

    monkeypatch.setattr(grpo, "build_engine", scripted)
    execute(built, directory, directory / "config.yaml")
    (line,) = read_metrics(directory / "grpo" / "metrics.jsonl")
    shares = {status: line[f"status_{status}"] for status in ("right", "wrong", "unparsed", "timeout", "error")}
    assert shares == {"right": 0.0, "wrong": 0.125, "unparsed": 0.75, "timeout": 0.125, "error": 0.0}
    assert line["accuracy"] == 0.0 and line["zero_variance_groups"] == 1.0


def test_a_gold_that_cannot_be_right_stops_the_run_before_it_starts(tmp_path, overrides):
    rows = [{"problem": "p", "language": "fr", "question": "Combien ?", "gold": gold} for gold in ("3", "\\frac{")]
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    built, directory = prepare(tmp_path, "+experiment=grpo", "stages=[grpo]", *overrides, f"data.prompts={path}")
    with pytest.raises(Exception, match=r"frac"):
        execute(built, directory, directory / "config.yaml")


@pytest.mark.parametrize("objective, zero", [("adamame", 0), ("dapo", 0), ("adamame", 3)])
def test_two_ranks_take_the_same_rollouts_and_the_same_steps(tmp_path, overrides, objective, zero):
    """Mini-batches of nine, so that the ranks' shares differ; from a model that is sometimes right, so that there is a gradient."""
    import torch
    from safetensors.torch import load_file

    from src.pipeline.plan import shipped_base

    weights, lines = {}, {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        split = [f"distributed.zero={zero}"] if processes > 1 else []
        built, directory = prepare(
            folder,
            "+experiment=adamame_grpo",
            "stages=[grpo]",
            *overrides,
            f"model.path={shipped_base('small')}",
            f"objective={objective}",
            "objective.loss.kl_coefficient=0.01",
            "rollout.maximum_new_tokens=96",
            "grpo.steps=2",
            "rollout.temperature=1.5",
            "grpo.prompts_per_step=6",
            "grpo.completions_per_prompt=3",
            "grpo.tokens_per_microbatch=400",
            f"distributed.processes={processes}",
            *split,
        )
        execute(built, directory, directory / "config.yaml")
        lines[processes] = read_metrics(directory / "grpo" / "metrics.jsonl")
        weights[processes] = load_file(directory / "grpo" / "model" / "model.safetensors")
    for one, two in zip(*lines.values(), strict=True):
        assert (one["sampled_groups"], one["trained_groups"]) == (two["sampled_groups"], two["trained_groups"])
        assert one["grad_norm"] > 0.01 and abs(two["grad_norm"] / one["grad_norm"] - 1) < 1e-5
        assert abs(one["loss"] - two["loss"]) < 1e-5 and abs(one["kl"] - two["kl"]) < 1e-5
    for name, value in weights[1].items():
        other = weights[2][name]  # where a gradient is next to nothing, Adam makes much of its rounding
        torch.testing.assert_close(value, other, atol=1e-4, rtol=1e-4)
        assert float((value - other).abs().mean()) < 1e-7, name


def test_a_component_is_rebuilt_with_its_own_settings(tmp_path, overrides):
    built, _ = prepare(tmp_path, "+experiment=adamame_grpo", *overrides, "schedule=linear", "schedule.maximum=3")
    assert dataclasses.asdict(built.schedule) == {
        "maximum": 3.0,
        "per_language": {},
        "floor": 0.1,
        "onset": 0.0,
        "end": 1.0,
    }


@pytest.mark.parametrize(
    "more",
    [
        ["model.lora.rank=4", "model.lora.alpha=8"],
        ["rollout=hf"],
        ["objective=dr_grpo", "objective.loss.entropy_coefficient=0.01"],
        ["objective=adamame_diversity", "schedule=constant"],
        ["objective=adamame_mean", "objective.loss.kl_estimator=k2", "grpo.updates_per_step=1"],
        *([f"objective={name}", "reward=additive_language"] for name in ("dapo", "gspo", "cispo", "rloo", "tis")),
    ],
    ids=lambda more: more[0],
)
def test_variations_run(tmp_path, overrides, more):
    built, directory = prepare(tmp_path, "+experiment=adamame_grpo", "stages=[grpo]", *overrides, "grpo.steps=2", *more)
    execute(built, directory, directory / "config.yaml")
    lines = read_metrics(directory / "grpo" / "metrics.jsonl")
    assert len(lines) == 2
    if built.grpo.updates_per_step == 1:
        assert abs(lines[0]["ratio_max"] - 1) < 1e-3  # the first update is on-policy
    assert (directory / "grpo" / "model" / "model.safetensors").is_file()


def test_wandb_without_an_account_runs_offline_and_asks_for_nothing(tmp_path, overrides, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # no stored key
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    built, directory = prepare(tmp_path, "+experiment=sft", "stages=[sft]", *overrides, "tracking=wandb")
    execute(built, directory, directory / "config.yaml")
    (log,) = (tmp_path / "runs").rglob("offline-run-*/*.wandb")
    assert log.parents[1] == plan(built, directory)[-1].directory / "wandb"


def test_a_loss_that_is_not_finite_stops_the_run_and_says_where(tmp_path, overrides):
    from src.training.learner import NotFinite

    built, directory = prepare(
        tmp_path,
        "+experiment=grpo",
        "stages=[grpo]",
        *overrides,
        "reward=additive_language",
        "grpo.optimiser.learning_rate=1e38",
    )
    with pytest.raises(NotFinite, match=r"grpo step \d, update \d: loss .* must be finite"):
        execute(built, directory, directory / "config.yaml")


def test_ones_own_data_goes_through_every_stage(tmp_path, overrides):
    from src.data.records import write_records
    from src.data.world import documents
    from src.data.world.spec import WorldSpec

    world = WorldSpec(items=2)
    write_records(tmp_path / "sft.jsonl", documents.examples(world, "fr", 8, 0, "sft"))
    write_records(tmp_path / "prompts.jsonl", documents.prompts(world, "fr", 6, 0))
    write_records(tmp_path / "judge.jsonl", documents.evaluation(world, "test", ["fr", "en"], 2))
    paths = [
        f"data.sft={tmp_path / 'sft.jsonl'}",
        f"data.prompts={tmp_path / 'prompts.jsonl'}",
        "benchmark=jsonl",
        f"benchmark.questions_file={tmp_path / 'judge.jsonl'}",
        "evaluation.languages=[fr,en]",
    ]
    built, directory = prepare(tmp_path, "+experiment=adamame_grpo", *overrides, *paths, "grpo.steps=2")
    execute(built, directory, directory / "config.yaml")
    import pandas

    records = pandas.read_parquet(directory / "evaluate" / "records.parquet")
    assert set(records["split"]) == {"test"}
    assert len(records) == 4


def test_a_schedule_for_a_language_that_the_prompts_never_ask_in_is_refused(tmp_path, overrides):
    from src.data.readers import BadData
    from src.data.records import write_records
    from src.data.world import documents
    from src.data.world.spec import WorldSpec

    write_records(tmp_path / "prompts.jsonl", documents.prompts(WorldSpec(items=2), "te", 4, 0))
    more = (f"data.prompts={tmp_path / 'prompts.jsonl'}", "schedule.per_language.fr.maximum=4", "stages=[grpo]")
    built, directory = prepare(tmp_path, "+experiment=adamame_grpo", *overrides, *more)
    with pytest.raises(BadData, match=r"schedule.per_language.fr: .*prompts.jsonl has te. Take it out"):
        execute(built, directory, directory / "config.yaml")
