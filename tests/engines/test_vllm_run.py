"""Whole runs with rollout=vllm, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("vllm", reason="vLLM is not installed; make test-engines installs it apart")

ROOT = Path(__file__).resolve().parents[2]
# Heads of 32 are the smallest that vLLM's attention has on a CPU. The entropy bonus changes the policy in every step.
OVERRIDES = [
    "+experiment=adamame_grpo", "scale=tiny", "rollout=vllm", "world.head_size=32", "pretrain.steps=30", "sft.epochs=1",
    "grpo.steps=3", "grpo.prompts_per_step=4", "grpo.optimiser.learning_rate=0.02", "evaluation.problems=4",
    "objective.loss.entropy_coefficient=0.1", "rollout.vllm.maximum_prompt_tokens=128", "rollout.vllm.cpu_cache_gb=0.25",
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Runs here share the stages before GRPO."""
    return tmp_path_factory.mktemp("runs")


def run(root, *more, command=("-m", "src.run")):
    return subprocess.run(
        [sys.executable, *command, *OVERRIDES, f"root={root}", *more], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=600, check=False,
    )  # fmt: skip


def newest(root):
    """The folder of the last run, and what its GRPO logged."""
    folder = max(root.glob("tiny/adamame_grpo/*"), key=lambda path: path.stat().st_mtime)
    return folder, [json.loads(line) for line in (folder / "grpo" / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("more", [(), ("model.lora.rank=4", "rollout.sync=adapter")], ids=["merged", "adapter"])
def test_a_run_from_sft_to_report(root, more):
    done = run(root, *more)
    assert done.returncode == 0, done.stderr[-3000:]
    folder, lines = newest(root)
    assert len(lines) == 3 and all(line["sampler_gap"] < 1e-5 for line in lines)
    assert (folder / "report" / "report.html").is_file()


@pytest.fixture
def no_shared_memory():
    """On a CPU, vLLM names the shared memory of an engine by its ranks alone, and a process that ends leaves it there."""
    yield
    for path in Path("/dev/shm").glob("-tp:0-*-cpushm_*"):
        path.unlink()


@pytest.mark.usefixtures("no_shared_memory")
@pytest.mark.parametrize("parallel", [1, 2])
def test_ranks_have_an_engine_each_or_share_one(root, parallel):
    done = run(root, "stages=[grpo]", "distributed.processes=2", f"rollout.vllm.tensor_parallel={parallel}")
    assert done.returncode == 0, done.stderr[-3000:]
    _, lines = newest(root)
    assert len(lines) == 3 and all(line["sampler_gap"] < 1e-5 for line in lines)


def test_the_probe_stops_a_sampler_with_old_weights(root):
    command = [str(Path(__file__).parent / "keeps_old_weights.py")]
    done = run(root, "stages=[grpo]", "seed=7", command=command)
    assert done.returncode == 2 and "error: the sampler must be the policy that is trained" in done.stderr
    _, lines = newest(root)
    assert [line["step"] for line in lines] == [1]  # the first step was right
