"""The arms of experiments/budget_alignment, in the embedded world and at the published scale."""

import pytest

from src.config.checks import check
from src.orchestration import chain
from src.orchestration.arms import RunsSpec
from src.orchestration.jobs import Runs, _composition
from tests.helpers.paths import ROOT

SPEC = RunsSpec.read(ROOT / "experiments" / "budget_alignment" / "runs.yaml")


def config_of(job):
    return chain.configuration(_composition((f"+experiment={job.experiment}", *job.overrides)), job.seed)


@pytest.fixture(scope="module")
def published():
    """Arm -> configuration at the published scale."""
    return {job.name: config_of(job) for job in Runs(SPEC, "distill_7b", "runs").check()}


def test_five_arms_with_a_model_for_each_language():
    names = [arm.name for arm in SPEC.arms()]
    assert names == [
        "Base",
        *(f"{method} {code}" for method in ("SFT", "GRPO-Base", "GRPO-SFT") for code in ("ja", "fr", "es")),
        "MERGE",
    ]
    assert SPEC.seeds == [1, 2, 3, 4, 5]


def test_the_published_settings(published):
    config = published["GRPO-SFT fr"]
    loss, grpo, rollout = config.objective.loss, config.grpo, config.rollout
    assert (loss.clip_low, loss.clip_high, loss.kl_coefficient, loss.aggregation) == (0.2, 0.28, 0, "sequence_sum")
    assert loss.maximum_tokens == rollout.maximum_new_tokens == 5555
    assert (grpo.prompts_per_step, grpo.completions_per_prompt, grpo.optimiser.learning_rate) == (8, 24, 1e-5)
    assert (rollout.temperature, rollout.top_p, rollout.top_k) == (0.6, 0.95, 20)
    assert (config.model.lora.rank, config.model.lora.alpha) == (8, 32)
    assert (config.evaluation.samples, config.evaluation.pass_at) == (32, [1, 5, 10])
    assert {name: part.weight for name, part in config.reward.parts.items()} == {
        "format": 0.2,
        "accuracy": 1.0,
        "language": 0.2,
    }
    assert config.data.sft == "data/budget_alignment/sft-fr.jsonl"
    assert config.data.prompts == "data/budget_alignment/prompts-fr.jsonl"
    assert config.stages == ["grpo", "evaluate", "report"] and config.data.instruction == "localised"


def test_every_arm_passes_the_checks_once_its_files_are_there(published, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "budget_alignment"
    folder.mkdir(parents=True)
    for name in ("sft", "prompts"):
        for code in ("ja", "fr", "es"):
            (folder / f"{name}-{code}.jsonl").write_text("{}\n")
    (folder / "questions.jsonl").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    for name, config in published.items():
        if name != "MERGE":  # whose models are made first
            check(config)


def test_the_merge_takes_a_quarter_of_each(published):
    rule = published["MERGE"].merge
    assert rule.weights_of(len(rule.models)) == [1.0] * 4
    assert rule.models[0] == "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"
    assert [path.rsplit("/", 2)[1] for path in rule.models[1:]] == ["sft"] * 3


def test_in_the_world_every_arm_starts_from_the_base_model_of_its_seed():
    jobs = {job.name: job for job in Runs(SPEC, "laptop", "runs").check()}
    starts = {
        text for name in jobs for text in jobs[name].overrides if text.startswith("model.path=") and "Base" in name
    }
    assert len(starts) == 1 and starts.pop().endswith("pretrain/model")
    config = config_of(jobs["SFT es"])
    assert (config.world.trained_languages, config.evaluation.languages) == (["es"], ["es"])
    check(config_of(jobs["Base"]))
