"""A run that would not get to its end does not start, and everything that is wrong with it is listed at once."""

import importlib
import json

import pytest

from src.common.errors import ConfigError
from src.data.records import Example, Question, write_records
from src.pipeline.preflight.run import preflight
from src.store.directory import PREFLIGHT, STAGES
from tests.helpers.configs import compose


@pytest.fixture
def run(overrides, tmp_path):
    """`run(*overrides)`: the preflight of a run of SFT, GRPO and evaluation on the tiny world."""
    directory = tmp_path / "run"
    directory.mkdir()

    def look(*more, experiment="grpo"):
        return preflight(compose(f"+experiment={experiment}", *overrides, *more), directory)

    look.directory = directory
    return look


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_says_what_it_needs(name):
    assert callable(importlib.import_module(f"src.stages.{name}").preflight)


def test_a_run_that_can_get_to_its_end_passes_once(run):
    assert run().startswith("preflight: sft, grpo, evaluate, report can run (")
    assert [path.name for path in run.directory.iterdir()] == [PREFLIGHT]
    assert run() == ""
    assert run("grpo.steps=5") != ""  # another configuration
    (run.directory / PREFLIGHT).write_text("torn")
    assert run("grpo.steps=5") != ""


def test_all_that_is_wrong_is_listed_at_once(run, tmp_path, monkeypatch):
    there = importlib.util.find_spec
    absent = ("vllm", "deepspeed")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name in absent else there(name, *more))
    sft, prompts, golds = (tmp_path / f"{name}.jsonl" for name in ("sft", "prompts", "golds"))
    write_records(sft, [Example("1", "fr", "Combien font 2 et 3 ?", "5", "2 + 3 = 5\n</think>\\boxed{5}")])
    prompts.write_text(json.dumps({"problem": "1", "language": "fr", "question": "Combien ?"}) + "\n")
    write_records(golds, [Question("9", "fr", "Combien ?", "\\frac{1}{")])
    with pytest.raises(ConfigError) as caught:
        run(
            f"data.sft={sft}",
            f"data.prompts={prompts}",
            "benchmark=jsonl",
            f"benchmark.questions_file={golds}",
            "rollout=vllm",
            "rollout.maximum_new_tokens=1020",
            "distributed.device=cuda",
            "distributed.zero=2",
            "evaluation.languages=[fr]",
        )
    lines = str(caught.value).split("\n  - ")
    assert lines[0] == "nothing was started, for the run would not get to its end:"
    starts = ("distributed.device=cuda needs", "distributed.zero=2 needs", f"{prompts}, line 1, field 'gold': missing")
    starts += ("rollout.engine=vllm needs", "a gold answer must be", "a sequence must fit the model's context of 1024")
    assert [line[: len(start)] for line, start in zip(lines[1:], starts, strict=True)] == list(starts)
    assert not (run.directory / PREFLIGHT).exists() and list(run.directory.iterdir()) == []


def test_what_a_library_or_a_component_raises_is_a_sentence_about_its_setting(run, monkeypatch):
    def broken(*_):
        raise ValueError("no such column\nand a trace")

    monkeypatch.setattr("src.data.sources.evaluation_questions", broken)
    with pytest.raises(ConfigError, match="the benchmark, split test: ValueError: no such column"):
        run()


def test_an_evaluation_reads_its_benchmark_and_needs_no_export(run, tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        run("benchmark=mgsm_rev2", f"benchmark.path={tmp_path}", "evaluation.languages=[fr]", experiment="evaluate")


def test_an_engine_that_does_not_know_the_model_is_named(run, tmp_path):
    from tests.helpers import families, templates

    folder = families.write(tmp_path / "model", "gpt_neox", template=templates.THINKING)
    with pytest.raises(ConfigError, match=r"rollout.engine=native .*Use rollout=hf"):
        run(f"model.path={folder}", "rollout=native")
    assert "can run" in run(f"model.path={folder}", "rollout=hf")


def test_traces_need_a_key_before_anything_is_asked(run, monkeypatch):
    monkeypatch.delenv("OWN_KEY", raising=False)
    teacher = (
        "traces.teacher.url=http://localhost:1/v1",
        "traces.teacher.model=m",
        "traces.teacher.key_variable=OWN_KEY",
    )
    with pytest.raises(ConfigError, match="traces.teacher.key_variable must name"):
        run(
            *teacher,
            "traces.questions=[world@train]",
            "traces.languages=[fr]",
            "traces.problems=2",
            experiment="traces",
        )
