"""`kill -9` at any moment, the same command again: the final weights are those of an uninterrupted run, bit for bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch

from tests.helpers.paths import ROOT

MICRO = [
    "+experiment=lagrangian",
    "scale=tiny",
    "stages=[sft,grpo]",
    "pretrain.from_scratch=true",
    "pretrain.steps=3",
    "world.pretrain_documents=300",
    "world.sft_examples_per_language=20",
    "sft.sequences_per_step=8",
    "sft.epochs=3",
    "grpo.steps=16",
    "grpo.prompts_per_step=4",
    "grpo.completions_per_prompt=4",
    "grpo.prompts_per_language=4",
    "rollout.maximum_new_tokens=24",
    "checkpoint.every_steps=2",
    "reward=additive_language",
]


def command(root, *more):
    return [sys.executable, "-m", "src.run", *MICRO, f"root={root}", *more]


def results(root):
    """The bytes of every final model, by stage, and in every metrics file the steps and the alignment factor, which a
    controller carries from step to step."""
    models = {path.parts[-3].split("-")[0]: path.read_bytes() for path in Path(root).rglob("model/model.safetensors")}
    steps = {
        path.parts[-2].split("-")[0]: [
            (line["step"], line.get("alignment_factor")) for line in map(json.loads, path.read_text().splitlines())
        ]
        for path in Path(root).rglob("metrics.jsonl")
    }
    return models, steps


def run_to_the_end(root, *more):
    subprocess.run(command(root, *more), cwd=ROOT, check=True, capture_output=True)


def holds(ready):
    """`ready()`, or False when a folder vanished under its search, as the run renames one."""
    try:
        return ready()
    except FileNotFoundError:
        return False


def kill_when(root, ready, *more):
    """Start the run and kill its whole process group with SIGKILL as soon as `ready()` holds."""
    process = subprocess.Popen(
        command(root, *more), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.time() + 120
    while process.poll() is None and not holds(ready) and time.time() < deadline:
        time.sleep(0.002)
    killed = process.poll() is None
    if killed:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return killed


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    root = tmp_path_factory.mktemp("straight")
    run_to_the_end(root)
    return results(root)


def lines(root, stage, count):
    def ready():
        return any(
            len(path.read_text().splitlines()) >= count
            for path in Path(root).rglob("metrics.jsonl")
            if path.parts[-2].split("-")[0] == stage
        )

    return ready


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_steps_of_sft_and_grpo(straight, tmp_path, seed):
    generator = random.Random(seed)
    assert kill_when(tmp_path, lines(tmp_path, "sft", generator.randint(1, 6)))
    assert kill_when(tmp_path, lines(tmp_path, "grpo", generator.randint(1, 3)))
    assert kill_when(tmp_path, lines(tmp_path, "grpo", generator.randint(5, 12)))
    run_to_the_end(tmp_path)
    assert results(tmp_path) == straight


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "count"),
    [("sft", 5), ("grpo", 3)],
    ids=["sft epoch boundary (40 / 8 steps)", "grpo epoch boundary (12 / 4)"],
)
def test_killed_at_an_epoch_boundary(straight, tmp_path, stage, count):
    assert kill_when(tmp_path, lines(tmp_path, stage, count))
    run_to_the_end(tmp_path)
    assert results(tmp_path) == straight


@pytest.mark.slow
def test_killed_in_the_middle_of_a_checkpoint(straight, tmp_path):
    def writing():
        return any(path.parts[-3] == "grpo" for path in Path(tmp_path).rglob(".step-*.partial"))

    assert kill_when(tmp_path, writing)
    run_to_the_end(tmp_path)
    assert results(tmp_path) == straight


def test_killed_between_rollout_and_update_takes_the_pending_rollouts(straight, tmp_path):
    assert kill_when(tmp_path, lambda: any(Path(tmp_path).rglob("pending-*.safetensors")))
    run_to_the_end(tmp_path)
    assert results(tmp_path) == straight


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_between_the_rounds_of_dynamic_sampling(tmp_path, processes):
    more = ("objective=dapo", "grpo.steps=6", f"distributed.processes={processes}")
    run_to_the_end(tmp_path / "straight", *more)
    broken = tmp_path / "broken"
    for number in (1, 2):  # in the first step that came so far
        assert kill_when(
            broken, lambda number=number: any(broken.rglob(f"pending-*-round-{number}.safetensors")), *more
        )
    run_to_the_end(broken, *more)
    assert results(broken) == results(tmp_path / "straight")


@pytest.mark.slow
def test_two_ranks_killed_and_resumed(tmp_path):
    run_to_the_end(tmp_path / "straight", "distributed.processes=2")
    broken = tmp_path / "broken"
    assert kill_when(broken, lines(broken, "grpo", 3), "distributed.processes=2")
    run_to_the_end(broken, "distributed.processes=2")
    assert results(broken) == results(tmp_path / "straight")


@pytest.mark.slow
def test_the_same_command_after_the_end_says_so(tmp_path):
    run_to_the_end(tmp_path)
    again = subprocess.run(command(tmp_path), cwd=ROOT, check=True, capture_output=True, text=True)
    assert "is finished" in again.stdout


@pytest.mark.slow
def test_killed_and_resumed_with_less_memory_goes_on_from_its_checkpoint(straight, tmp_path):
    """As one must whose run met a batch that did not fit: the same steps over the same data, but for rounding."""
    less = ("sft.tokens_per_microbatch=128", "grpo.tokens_per_microbatch=256", "rollout.rows_at_once=8")
    assert kill_when(tmp_path, lines(tmp_path, "sft", 3))
    assert kill_when(tmp_path, lines(tmp_path, "grpo", 5), *less)
    run_to_the_end(tmp_path, *less, "model.gradient_checkpointing=true", "grader.workers=2")
    assert len(list(tmp_path.glob("tiny/lagrangian/*"))) == 1
    assert len(list(tmp_path.glob("tiny/shared/sft-*"))) == 1
    models, steps = results(tmp_path)
    assert {stage: [step for step, _ in values] for stage, values in steps.items()} == {
        stage: [step for step, _ in values] for stage, values in straight[1].items()
    }
    assert models.keys() == straight[0].keys() and models["pretrain"] == straight[0]["pretrain"]
    wanted, given = (safetensors.torch.load(side["grpo"]) for side in (straight[0], models))
    assert max(float((wanted[name] - given[name]).abs().max()) for name in wanted) < 1e-2
