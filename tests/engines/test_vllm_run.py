"""Whole runs with rollout=vllm, each in a process of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

pytest.importorskip("vllm", reason="vLLM is not installed; make test-engines installs it apart")

STEPS = 5
# Heads of 32 are the smallest that vLLM's attention has on a CPU. The entropy bonus changes the policy in every step.
OVERRIDES = [
    "+experiment=adamame_grpo",
    "scale=tiny",
    "rollout=vllm",
    "world.head_size=32",
    "pretrain.steps=30",
    "sft.epochs=1",
    f"grpo.steps={STEPS}",
    "grpo.prompts_per_step=4",
    "grpo.optimiser.learning_rate=0.02",
    "evaluation.problems=4",
    "objective.loss.entropy_coefficient=0.1",
    "rollout.vllm.maximum_prompt_tokens=128",
    "rollout.vllm.cpu_cache_gb=0.25",
    "checkpoint.every_steps=2",
]
TWO = ("stages=[grpo]", "distributed.processes=2")
WAYS = {
    "merged": (),
    "adapter": ("model.lora.rank=4", "rollout.sync=adapter"),
    "an engine each": TWO,
    "one engine": (*TWO, "rollout.vllm.tensor_parallel=2"),
}
TIMES = ("time", "seconds", "tokens_per_second")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Runs here share the stages before GRPO."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", params=WAYS.values(), ids=WAYS.keys())
def finished(root, request):
    """The overrides and the folder of a run that nothing disturbed."""
    to_the_end(root, *request.param)
    return request.param, newest(root)


def start(root, *more, command=("-m", "src.run")):
    """A run whose process group is its own; what it says goes to the file `said`."""
    with (root / "said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, *command, *OVERRIDES, f"root={root}", *more],
            cwd=ROOT,
            stdout=said,
            stderr=said,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )


def run(root, *more, command=("-m", "src.run")):
    """(exit code, what it said) of a run that may take ten minutes."""
    process = start(root, *more, command=command)
    try:
        process.wait(timeout=600)
    finally:
        kill(process)
    return process.returncode, (root / "said").read_text()


def kill(process):
    """`kill -9` of a run with its ranks, but for Python's helper that frees shared memory when they are gone."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            of_run = os.getpgid(int(folder.name)) == process.pid
            if of_run and b"resource_tracker" not in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
    process.wait()


def to_the_end(root, *more):
    code, said = run(root, *more)
    assert code == 0, said[-3000:]


def newest(root):
    """The folder of the last run."""
    return max(root.glob("tiny/adamame_grpo/*"), key=lambda path: path.stat().st_mtime)


def logged(folder, left_out=()):
    lines = map(json.loads, (folder / "grpo" / "metrics.jsonl").read_text().splitlines())
    return [{name: line[name] for name in line if not name.startswith(left_out)} for line in lines]


def made(folder):
    """What a run leaves: the metrics but for times, and the bytes of rollouts, records of the evaluation, and weights."""
    files = [*folder.rglob("*.parquet"), *folder.rglob("model/*.safetensors")]
    return logged(folder, TIMES), {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}


def test_the_sampler_is_the_policy_in_every_step(finished):
    more, folder = finished
    lines = logged(folder)
    assert len(lines) == STEPS and all(line["sampler_gap"] < 1e-5 for line in lines)
    assert more[:1] == TWO[:1] or (folder / "report" / "report.html").is_file()


def test_repeated_killed_and_resumed_a_run_is_the_same_to_the_last_bit(finished, root, tmp_path):
    """An engine that ranks share adds up in an order of its own: the same run of it is the same to rounding, which a
    first step shows and later ones carry on."""
    more, folder = finished
    shared = "rollout.vllm.tensor_parallel=2" in more
    shutil.copytree(root / "tiny" / "shared", tmp_path / "tiny" / "shared")
    process, deadline = start(tmp_path, *more), time.monotonic() + 600
    try:
        while process.poll() is None and time.monotonic() < deadline and lines_of(tmp_path) < 3:
            time.sleep(0.01)
    finally:
        killed = process.poll() is None
        kill(process)
    assert killed and 3 <= lines_of(tmp_path) < STEPS, (tmp_path / "said").read_text()[-3000:]
    expected = made(folder)
    lines, files = made(newest(tmp_path))  # of the steps before the kill: a repetition
    assert lines[0] == pytest.approx(expected[0][0], abs=1e-3) and len(files) >= 3
    if not shared:
        assert lines == expected[0][: len(lines)]
        assert files == {name: expected[1][name] for name in files}
    for path in tmp_path.rglob("pending-*"):
        path.unlink()  # else the third step would find its rollouts there
    to_the_end(tmp_path, *more)
    again = made(newest(tmp_path))
    assert again[1].keys() == expected[1].keys() and [line["step"] for line in again[0]] == list(range(1, STEPS + 1))
    assert shared or again == expected


def lines_of(root):
    return sum(len(path.read_text().splitlines()) for path in root.glob("tiny/adamame_grpo/*/grpo/metrics.jsonl"))


def test_the_probe_stops_a_sampler_with_old_weights(root):
    command = ("-m", "tests.helpers.keeps_old_weights")
    code, said = run(root, "stages=[grpo]", "seed=7", command=command)
    assert code == 2 and "error: the sampler must be the policy that is trained" in said
    assert [line["step"] for line in logged(newest(root))] == [1]  # the first step was right
