"""Runs that build on others, carried out: what reaches the next one, and `kill -9` of the launcher and of a run."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas
import pytest
import yaml
from safetensors.torch import load_file, save_file

from tests.helpers.paths import ROOT

pytestmark = pytest.mark.slow

MICRO = [
    "pretrain.steps=3",
    "world.pretrain_documents=300",
    "world.sft_examples_per_language=12",
    "sft.sequences_per_step=8",
    "grpo.steps=4",
    "grpo.prompts_per_step=4",
    "grpo.completions_per_prompt=4",
    "grpo.prompts_per_language=4",
    "rollout.maximum_new_tokens=24",
    "evaluation.problems=3",
    "checkpoint.every_steps=2",
    "reward=additive_language",
    "prompts.sources=[world@train]",
    "prompts.languages=${world.trained_languages}",
    "prompts.problems=6",
    "prompts.difficulty.rollouts=2",
    "prompts.difficulty.minimum=0",
    "prompts.difficulty.maximum=2",
]
ARMS = [
    {"name": "sft", "experiment": "sft"},
    {"name": "select", "experiment": "prompts", "from": "sft"},
    {"name": "first", "experiment": "grpo", "from": "sft", "data_from": "select"},
    {"name": "second", "experiment": "grpo", "from": "first"},
]
FEW = [*ARMS[:1], ARMS[3] | {"from": "sft"}]


def command(folder, arms):
    folder.mkdir(exist_ok=True)
    content = {"title": "x", "experiments": arms, "overrides": MICRO, "seeds": [3], "jobs": 2}
    (folder / "runs.yaml").write_text(yaml.safe_dump(content))
    return [sys.executable, "-m", "src", "launch", str(folder), "--scale", "tiny", "--root", str(folder / "runs")]


def carried_out(folder, arms):
    return subprocess.run(command(folder, arms), cwd=ROOT, capture_output=True, text=True, check=False)


def models(folder):
    """The stage and the bytes of every model, in order of making: the names of runs depend on the root."""
    paths = sorted((folder / "runs").rglob("model/model.safetensors"), key=lambda path: path.stat().st_mtime)
    return [(path.parts[-3].split("-")[0], path.read_bytes()) for path in paths]


def answers(folder):
    """The completions of every evaluation, in no order of runs."""
    return sorted(
        tuple(pandas.read_parquet(path)["completion"]) for path in (folder / "runs").rglob("evaluate/records.parquet")
    )


def test_a_run_starts_from_the_model_of_another_and_not_from_a_later_one_of_the_same_place(tmp_path):
    done = carried_out(tmp_path, FEW)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "second" in done.stdout and "2 runs in" in done.stdout
    tiny = tmp_path / "runs" / "tiny"
    (source,) = tiny.glob("shared/sft-*/model")
    (run,) = tiny.glob("grpo/seed3-*")
    held = json.loads((run / "grpo" / "inputs.json").read_text())
    assert held["model"] == str(source)
    assert len(list(tiny.glob("shared/[ps]*"))) == 2  # pretrain and sft, each once
    # Another model in the same place: the old result is not taken for that of the new one.
    weights = load_file(source / "model.safetensors")
    weights["model.norm.weight"] += 1
    save_file(weights, source / "model.safetensors", {"format": "pt"})
    words = (run / "overrides.txt").read_text().splitlines()
    command_of_run = [sys.executable, "-m", "src.run", *words]
    again = subprocess.run(command_of_run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "holds the work of another configuration" in again.stderr
    # Nor is a model taken that is not what its run finished with.
    again = carried_out(tmp_path, FEW)
    assert again.returncode == 1
    assert "error: second seed 3 failed" in again.stderr
    assert "its checksum differs. The stage sft was finished with it" in again.stderr


def pids_of(root):
    shown = subprocess.run(["ps", "-A", "-o", "pid,args", "-ww"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in shown.splitlines() if f"root={root} " in line and "-m src.run" in line]


def kill_when(folder, ready, victim):
    """Start the set of runs; kill the launcher, or all its runs, as soon as `ready()`; its exit code."""
    process = subprocess.Popen(
        command(folder, ARMS), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.time() + 240
    while process.poll() is None and not ready() and time.time() < deadline:
        time.sleep(0.01)
    assert process.poll() is None
    for pid in [process.pid] if victim == "launcher" else pids_of(folder / "runs"):
        os.kill(pid, signal.SIGKILL)
    return process.wait(timeout=240)


def test_killed_and_resumed_to_the_same_numbers(tmp_path):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    assert carried_out(straight, ARMS).returncode == 0

    def there(pattern, count=1):
        return lambda: len(list((broken / "runs" / "tiny").glob(pattern))) >= count

    assert kill_when(broken, there("shared/sft-*/checkpoints/*"), "run") == 1
    assert kill_when(broken, there("prompts/*/prompts/inputs.json"), "launcher") == -signal.SIGKILL
    assert kill_when(broken, there("grpo/*/grpo/rollouts/*"), "run") == 1
    assert kill_when(broken, there("grpo/*/grpo/rollouts/*", 5), "launcher") == -signal.SIGKILL
    done = carried_out(broken, ARMS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert models(broken) == models(straight)
    assert answers(broken) == answers(straight)
    assert len(models(straight)) == 4 and len(answers(straight)) == 3
