"""Runs as jobs of a real SLURM of one node, which the tests start and stop themselves (`tests/helpers/slurm.py`)."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from src.orchestration.cluster.snapshot import PARTS
from src.store.status import find, read
from tests.helpers import slurm as server
from tests.helpers.paths import ROOT
from tests.helpers.processes import heed_interrupts

LACKING = server.missing() or ("" if importlib.util.find_spec("submitit") else "needs submitit: make setup-slurm")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(LACKING), reason=LACKING)]
MICRO = [
    "scale=tiny",
    "pretrain.from_scratch=true",
    "pretrain.steps=3",
    "world.pretrain_documents=300",
    "world.sft_examples_per_language=20",
    "sft.sequences_per_step=8",
    "sft.epochs=1",
    "grpo.steps=4",
    "grpo.prompts_per_step=4",
    "grpo.completions_per_prompt=4",
    "grpo.prompts_per_language=4",
    "rollout.maximum_new_tokens=24",
    "checkpoint.every_steps=2",
    "evaluation.problems=3",
]
ON_SLURM = ["cluster=slurm_cpu", "cluster.poll_s=1"]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The environment in which a SLURM is there."""
    folder = tmp_path_factory.mktemp("slurm")
    server.start(folder)
    yield server.environment(folder)
    server.stop(folder)


def command(root, *more):
    return [sys.executable, "-m", "src.run", *MICRO, *more, f"root={root}"]


def submit(slurm, root, *more, cwd=ROOT):
    """The command that submits and waits, as a process."""
    return start(slurm, command(root, *ON_SLURM, *more), cwd)


def start(slurm, arguments, cwd=ROOT):
    """A process where SLURM is there, with what it says in one pipe."""
    return subprocess.Popen(
        arguments,
        cwd=cwd,
        env=slurm,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=heed_interrupts,
    )


def end(process, seconds=600):
    """(exit code, output) of a process."""
    try:
        shown, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        shown, _ = process.communicate()
        pytest.fail(f"no end after {seconds} s; it said:\n{shown}")
    return process.returncode, shown


def until(ready, process, seconds=300):
    """Wait for `ready()` to give something, and return it."""
    deadline = time.time() + seconds
    while time.time() < deadline and process.poll() is None:
        if result := ready():
            return result
        time.sleep(0.02)
    pytest.fail(f"did not come about:\n{end(process, 1)[1]}")


def records(root):
    return [json.loads(path.read_text()) for path in sorted(Path(root).glob("*/*/seed*/slurm.json"))]


def in_state(root, state):
    """The only job's id, once its record has one and is in this state."""
    return lambda: next((job["job"] for job in records(root) if job["job"] and job["state"] == state), None)


def steps(root, count):
    """Whether GRPO has written this many steps."""

    def ready():
        return any(len(p.read_text().splitlines()) >= count for p in Path(root).glob("*/*/seed*/grpo/metrics.jsonl"))

    return ready


def weights(root):
    return {path.parts[-3].split("-")[0]: path.read_bytes() for path in Path(root).rglob("model/model.safetensors")}


def processes_of(root):
    """Command lines of processes that have to do with runs under `root`, but for those that wait for its jobs."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(str(root) in word for word in words) and "cluster.poll_s=1" not in words:
            commands.append(" ".join(words))
    return commands


def test_three_runs_of_a_command_finish(slurm, tmp_path):
    more = ["-m", "+experiment=grpo", "seed=1,2,3", "evaluation.splits=[test]"]
    arguments = [sys.executable, "-m", "src.run", *more, *MICRO, *ON_SLURM, f"root={tmp_path}"]
    code, shown = end(start(slurm, arguments))
    assert code == 0, shown
    assert "3 finished" in shown and shown.count("test: accuracy") == 3
    (summary,) = tmp_path.glob("_slurm/*/summary.json")
    rows = json.loads(summary.read_text())
    assert [row["state"] for row in rows] == ["finished"] * 3
    assert all((Path(row["directory"]) / "report" / "report.html").is_file() for row in rows)

    overrides = [text for text in (*more, *MICRO) if "," not in text and "=" in text]
    again = subprocess.run(
        [sys.executable, "-m", "src.run", *overrides, "seed=2", f"root={tmp_path}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "is finished" in again.stdout  # the same directory as without SLURM
    code, shown = end(submit(slurm, tmp_path, *overrides, "seed=2"))
    assert code == 0 and "submitted" not in shown and "1 finished" in shown


@pytest.mark.parametrize("ranks, tasks", [(1, 1), (2, 1), (2, 2)], ids=["one rank", "own ranks", "ranks by SLURM"])
def test_a_job_that_is_queued_again_ends_with_the_same_weights(slurm, tmp_path, ranks, tasks):
    more = ["+experiment=lagrangian", "stages=[sft,grpo]", "grpo.steps=16", f"distributed.processes={ranks}"]
    subprocess.run(command(tmp_path / "straight", *more), cwd=ROOT, check=True, capture_output=True)
    root = tmp_path / "broken"
    process = submit(slurm, root, *more, f"cluster.tasks_per_node={tasks}")
    until(steps(root, 3), process)
    job = in_state(root, "running")()
    subprocess.run(["scancel", "--signal=USR2", job], env=slurm, check=True)  # as before the time limit
    until(in_state(root, "queued"), process)
    assert [line for line in processes_of(root) if "submitit" not in line] == []  # it begins again in five seconds
    until(steps(root, 8), process)
    subprocess.run(["scontrol", "requeue", job], env=slurm, check=True)  # as a pre-emption does
    code, shown = end(process)
    assert code == 0, shown
    assert weights(root) == weights(tmp_path / "straight") != {}
    (held,) = records(root)
    assert held["state"] == "done" and held["requeues"] == 2
    assert processes_of(root) == []


def test_a_failed_job_is_told_with_its_error(slurm, tmp_path):
    claimed = command(tmp_path, "+experiment=sft", "stages=[sft,evaluate,report]", "seed=2")[3:]
    from src.config.directory import directory_of

    directory = directory_of(claimed)
    (directory / "evaluate").mkdir(parents=True)
    (directory / "evaluate" / "inputs.json").write_text('{"identity": "another", "inputs": {"seed": 5}}')
    arguments = [sys.executable, "-m", "src.run", "-m", *claimed[:-2], "seed=1,2", *ON_SLURM, f"root={tmp_path}"]
    code, shown = end(start(slurm, arguments))
    assert code == 1, shown
    assert "1 finished, 1 failed" in shown
    assert "ConfigError: " in shown and "holds the work of another configuration" in shown
    assert "Traceback" not in shown and "result.pkl" not in shown
    assert read(directory).state == "failed"


def test_what_is_edited_while_a_job_waits_does_not_reach_it(slurm, tmp_path):
    checkout = tmp_path / "checkout"
    for part in PARTS:
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    more = ["+experiment=sft", "stages=[sft]"]
    process = submit(slurm, "runs", *more, "+hydra.launcher.additional_parameters.hold=true", cwd=checkout)
    job = until(in_state(checkout / "runs", "queued"), process)
    (directory,) = find(checkout / "runs")
    assert read(directory).state == "queued" and read(directory).message == f"job {job}"

    (checkout / "src" / "stages" / "sft.py").write_text("raise RuntimeError('edited')\n")
    (checkout / "src" / "run.py").write_text("raise RuntimeError('edited')\n")
    (checkout / "conf" / "scale" / "tiny.yaml").write_text("no: such key\n")
    edited = subprocess.run(command("runs", *more), cwd=checkout, capture_output=True, text=True)
    assert edited.returncode and "edited" in edited.stderr

    subprocess.run(["scontrol", "release", job], env=slurm, check=True)
    code, shown = end(process)
    assert code == 0, shown
    assert read(directory).state == "finished"
    assert (directory / "slurm.json").is_file() and not (tmp_path / "runs").exists()


def test_a_cancelled_job_is_stopped_and_a_waiting_one_is_not_submitted_twice(slurm, tmp_path):
    more = ["+experiment=sft", "stages=[sft]"]
    first = submit(slurm, tmp_path, *more, "+hydra.launcher.additional_parameters.hold=true")
    job = until(in_state(tmp_path, "queued"), first)
    os.kill(first.pid, signal.SIGINT)
    code, shown = end(first)
    assert code and f"scancel {job}" in shown

    second = submit(slurm, tmp_path, *more)
    assert f"in the queue as job {job}" in second.stdout.readline()
    subprocess.run(["scancel", job], env=slurm, check=True)
    code, shown = end(second)
    assert code == 1 and "submitted" not in shown and "1 stopped" in shown, shown
    (directory,) = find(tmp_path)
    assert read(directory).state == "stopped"


def test_what_slurm_refuses_is_told(slurm, tmp_path):
    code, shown = end(submit(slurm, tmp_path, "+experiment=sft", "cluster.partition=nowhere"))
    assert code == 2 and "SLURM did not take the jobs" in shown and "partition" in shown, shown
    assert read(find(tmp_path)[0]).state == "stopped"


def test_trials_of_a_sweep_are_jobs(slurm, tmp_path):
    """Two at a time; the one that may write three times as much is worse on the way, and its job is taken out."""
    path, root = tmp_path / "two.yaml", tmp_path / "runs"
    content = {
        "program": "src.run",
        "method": "grid",
        "metric": {"name": "dev/tokens", "goal": "minimize"},
        "parameters": {"rollout.maximum_new_tokens": {"values": [8, 24]}},
        "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 3, "strict": True},
        "command": [
            "python",
            "-m",
            "${program}",
            "+experiment=adamame_grpo",
            *MICRO,
            "evaluation.splits=[dev]",
            "evaluation.every=1",
            "evaluation.every_problems=2",
            "grpo.steps=200",
            "evaluation.languages=[fr,en]",
            "${args_no_hyphens}",
        ],
    }
    path.write_text(yaml.safe_dump(content))
    process = start(slurm, [sys.executable, "-m", "src.sweep", str(path), "--jobs", "2", *ON_SLURM, f"root={root}"])
    code, shown = end(process)
    assert code == 0 and "1 finished, 1 stopped early" in shown, shown
    assert len(records(root)) == 2 and all(record["job"] for record in records(root))
    left = subprocess.run(
        ["squeue", "--noheader", "--format=%T"], env=slurm, capture_output=True, text=True, check=True
    )
    assert not [state for state in left.stdout.split() if state != "COMPLETING"]


def test_a_run_is_submitted_when_the_one_it_builds_on_has_finished(slurm, tmp_path):
    arms = ["sft", {"name": "next", "experiment": "grpo", "from": "sft", "overrides": ["stages=[grpo]"]}]
    arms.append({"name": "never", "experiment": "grpo", "overrides": ["grpo.steps=0"]})
    arms.append({"name": "after", "experiment": "grpo", "from": "never"})
    content = {"title": "x", "experiments": arms, "overrides": [*MICRO[1:], *ON_SLURM], "jobs": 4}
    (tmp_path / "runs.yaml").write_text(yaml.safe_dump(content))
    root = tmp_path / "runs"
    words = ["launch", str(tmp_path), "--scale", "tiny", "--root", str(root)]
    code, shown = end(start(slurm, [sys.executable, "-m", "src", *words]))
    assert code == 1, shown
    assert "not started: after seed 0, which builds on never seed 0" in shown
    states = {(run.directory.parent.name, run.stages[-1]): run.state for run in map(read, find(root))}
    assert states[("sft", "report")] == states[("grpo", "grpo")] == "finished", shown
    (model,) = root.glob("tiny/shared/sft-*/model")
    (inputs,) = root.glob("tiny/grpo/*/grpo/inputs.json")
    assert json.loads(inputs.read_text())["model"] == str(model)
    first, second = (
        json.loads(path.read_text())["job"]
        for path in [next(root.glob("tiny/sft/*/slurm.json")), inputs.parents[1] / "slurm.json"]
    )
    assert int(first.split("_")[0]) < int(second.split("_")[0])
