"""What a run says of its memory, and that one that cannot fit ends before it starts."""

import dataclasses

import pytest

from src.commands import memory
from src.common.errors import ConfigError
from src.config.compose import composed
from src.pipeline import memory as estimate
from src.pipeline.memory import check_memory
from tests.helpers.configs import FILES


def test_a_run_that_cannot_fit_is_an_error_that_names_tensors_and_settings(monkeypatch):
    run = composed(["+experiment=adamame_grpo", "scale=distill_7b", *FILES])
    monkeypatch.setattr(estimate, "capacity", lambda config: (24 * 10**9, "device"))
    with pytest.raises(ConfigError) as caught:
        check_memory(run)
    text = str(caught.value)
    for part in ("stage grpo must fit", "has 24.0 GB", "KV cache, 25.4 GB: rollout.rows_at_once", "weights, 15.2 GB"):
        assert part in text
    monkeypatch.setattr(estimate, "capacity", lambda config: (80 * 10**9, "device"))
    assert check_memory(run).startswith("memory: about 5") and "KV cache" in memory.table(run)


@pytest.mark.parametrize("scale", ["distill_1_5b", "distill_7b", "qwen3_4b"])
def test_the_scales_fit_on_a_gpu_of_80_gb(monkeypatch, scale):
    monkeypatch.setattr(estimate, "capacity", lambda config: (80 * 10**9, "device"))
    assert check_memory(composed(["+experiment=adamame_grpo", f"scale={scale}", *FILES]))


def test_ranks_of_one_host_share_its_memory(monkeypatch):
    run = composed(["+experiment=grpo", "distributed.processes=2"])
    one = dataclasses.replace(run, distributed=dataclasses.replace(run.distributed, processes=1))
    monkeypatch.setattr(estimate, "capacity", lambda config: (10**12, "host"))
    numbers = [float(check_memory(config).split()[2]) for config in (run, one)]
    assert numbers[0] > numbers[1]


def test_a_model_of_unknown_sizes_is_not_guessed():
    assert check_memory(composed(["+experiment=grpo", "model.path=some/model"])) == ""
    assert "not known here" in memory.table(composed(["+experiment=grpo", "model.path=some/model"]))


def test_on_a_host_the_estimate_counts_what_its_allocator_holds(monkeypatch):
    """1.4 x 2 ranks x 1 GB + 1 GB."""
    run = composed(["+experiment=grpo", "distributed.processes=2"])
    assert estimate.expected(1e9, run, "host") == pytest.approx(3.8e9) and estimate.expected(1e9, run, "device") == 1e9


def test_the_command_asks_for_no_files_and_takes_grpo_where_no_experiment_is_named(capsys):
    assert memory.main(["scale=distill_1_5b"]) == 0
    assert "grpo: " in capsys.readouterr().out
    assert memory.main(["+experiment=sft", "scale=distill_1_5b", "data.sft=/nowhere.jsonl", "sft.epoch=2"]) == 2
    assert "Did you mean 'epochs'" in capsys.readouterr().err


def test_saved_completions_take_no_model():
    run = composed(["+experiment=evaluate", f"benchmark.completions={__file__}"])
    assert estimate.stages(run) == [] and check_memory(run) == ""
