"""The real W&B library without a network: what its logs hold, what a killed run goes on with, and what `wandb sync` sends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from src.store.rollouts import write_rollouts
from src.tracking.metrics_file import read_metrics
from src.tracking.spec import TrackingSpec
from src.tracking.tracker import Tracker
from src.tracking.wandb import offline_log
from src.tracking.wandb.backfill import chosen, follow
from src.tracking.wandb.run import WandbRun
from src.tracking.wandb.state import lacks, note
from tests.helpers.evaluation import write_evaluation
from tests.helpers.paths import ROOT
from tests.helpers.wandb_server import serving

SPEC = TrackingSpec(wandb=True, rollouts_every=2, rollouts_rows=3)
HOSTILE = "\x1b[2J</think>\\boxed{1}\u202e"


@pytest.fixture(autouse=True)
def no_agent(monkeypatch):
    for name in ("WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")


def train(home, steps, resumed=0, stage="grpo", shared=False):
    """A stage that logs `loss` = step, with four rollouts a step."""
    folder = home if shared else home / stage
    tracker = Tracker(folder, stage, SPEC, None if shared else home, last=shared)
    tracker.resume(resumed)
    for step in steps:
        row = {"step": step, "language": "sw", "completion": HOSTILE, "correct": True, "reward": None, "advantage": 0.5}
        write_rollouts(folder / "rollouts", step, [row | {"tokens": place} for place in range(4)])
        tracker.log(step, {"loss": float(step), "accuracy/sw": 0.25})
    tracker.close()


def report(home):
    """What stages evaluate and report leave: records of split dev, a table and a picture."""
    from PIL import Image

    (home / "evaluate").mkdir(parents=True)
    write_evaluation(home / "evaluate")
    (home / "report").mkdir()
    (home / "report" / "table.csv").write_text("split,method,metric,value,low,high\ndev,grpo,accuracy,0.625,0.5,0.75\n")
    Image.new("RGB", (8, 8)).save(home / "report" / "pareto-dev.png")
    (home / "report" / "files.json").write_text(json.dumps({"pareto dev": str(home / "report" / "pareto-dev.png")}))


def told(home, stage):
    """A stage without a tracker, as the pipeline opens and closes W&B around it."""
    run = WandbRun(home, stage, SPEC, last=stage == "report")
    follow(run, home, 100, {})
    run.close()


def read(home, identity=None):
    """All records of the logs of a run, in the order they were written."""
    paths = offline_log.logs(home, identity or note(home)["id"])
    started = {}
    for path in paths:
        found = [record for record, _ in offline_log.records(path)]
        (run,) = (record.run for record in found if record.WhichOneof("record_type") == "run")
        assert run.run_id == (identity or note(home)["id"]) and run.resume
        started[run.start_time.ToNanoseconds()] = found
    return [record for _, found in sorted(started.items()) for record in found]


def history(home, identity=None):
    """The lines of history, values parsed."""
    rows = (offline_log.values(record) for record in read(home, identity))
    return [{name: json.loads(value) for name, value in row.items()} for row in rows if row]


def steps(home):
    return [row["grpo/step"] for row in history(home) if "grpo/step" in row and "grpo/loss" in row]


def test_one_run_holds_metrics_rollouts_final_values_and_the_report(tmp_path):
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    report(home)
    told(home, "evaluate")
    told(home, "report")
    assert lacks(home) is False and len(offline_log.logs(home, note(home)["id"])) == 3
    rows = history(home)
    assert [(row.get("grpo/step"), row.get("grpo/loss"), row.get("grpo/accuracy/sw")) for row in rows[:3]] == [
        (1, 1.0, 0.25), (2, 2.0, 0.25), (3, 3.0, 0.25),
    ]  # fmt: skip
    assert rows[3]["dev/right_and_in_language"] == pytest.approx(0.375)
    assert rows[3]["dev/hypervolume"] == pytest.approx(0.1875)
    assert {"report/table/path", "report/pareto-dev/path"} <= rows[4].keys() and len(rows) == 5
    summary = {}
    for record in read(home):
        for item in record.summary.update:
            summary["/".join(item.nested_key) or item.key] = item.value_json
    assert json.loads(summary["dev/right_and_in_language/sw"]) == 0.5
    files = {path.name: path for path in (home / "wandb").glob("offline-run-*/files/media/**/*.*")}
    (table,) = (json.loads(path.read_text()) for name, path in files.items() if name.startswith("rollouts"))
    assert table["columns"] == ["step", "language", "completion", "correct", "reward", "advantage", "tokens"]
    assert [row[-1] for row in table["data"]] == [0, 1, 2]  # of 4, evenly
    assert table["data"][0][2] == "\\u001b[2J</think>\\boxed{1}\\u202e"
    assert any(name.startswith("pareto-dev") and name.endswith(".png") for name in files)


def test_rollouts_are_chosen_over_all_prompts():
    assert [row["n"] for row in chosen([{"n": n} for n in range(8)], 4)] == [0, 2, 4, 6]


CHILD = """
import sys
from pathlib import Path
from src.tracking.spec import TrackingSpec
from src.tracking.tracker import Tracker
from tests.helpers.paths import ROOT
home = Path(sys.argv[1])
tracker = Tracker(home / "grpo", "grpo", TrackingSpec(wandb=True), home, last=False)
tracker.resume(0)
for step in range(1, 41):
    tracker.log(step, {"loss": float(step), **{f"accuracy/{place}": 0.1 * place for place in range(100)}})
print("logged", flush=True)
sys.stdin.read()
"""


def services(parent):
    """The processes of W&B that another has started."""
    found = subprocess.run(["pgrep", "-P", str(parent), "wandb-core"], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


def ended(number):
    """Whether a process is gone, or waits to be collected."""
    status = Path(f"/proc/{number}/stat")
    return not status.is_file() or status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("whole_job", [False, True], ids=["process", "job"])
def test_a_killed_run_goes_on_with_every_step_once(tmp_path, whole_job):
    """Killed with its job, W&B's service loses what it had not yet written."""
    home = tmp_path / "grpo" / "seed0"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home)],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, start_new_session=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout.readline() == "logged\n"
    (service,) = services(child.pid)
    if whole_job:
        os.kill(service, signal.SIGKILL)
    child.kill()
    child.communicate()
    deadline = time.monotonic() + 20
    while not ended(service) and time.monotonic() < deadline:
        time.sleep(0.02)
    identity = note(home)["id"]
    kept = offline_log.last_steps(home, identity).get("grpo", 0)
    assert kept <= 40 and not (whole_job and kept == 40)
    train(home, range(31, 43), resumed=30)
    assert note(home)["id"] == identity
    assert steps(home) == list(range(1, 43))
    assert [line["step"] for line in read_metrics(home / "grpo" / "metrics.jsonl")] == list(range(1, 43))


def test_torn_logs_are_mended_and_empty_ones_removed(tmp_path):
    """A resumed run sends what was lost, and `wandb sync` can read every log."""
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    identity = note(home)["id"]
    (whole,) = offline_log.logs(home, identity)
    rows = [end for record, end in offline_log.records(whole) if offline_log.values(record)]
    empty = home / "wandb" / f"offline-run-20000101_000000-{identity}" / whole.name
    empty.parent.mkdir()
    empty.write_bytes(whole.read_bytes()[:7])
    (home / "wandb.json").write_text(json.dumps({"id": identity, "sent": {}}))
    with whole.open("r+b") as handle:
        handle.truncate(rows[1] + 20)
    train(home, [3, 4], resumed=2)
    assert not empty.exists() and whole.stat().st_size <= rows[1] + 20
    assert steps(home) == [1, 2, 3, 4]
    for path in offline_log.logs(home, identity):
        assert [end for _, end in offline_log.records(path)][-1] == path.stat().st_size


def test_a_service_that_dies_ends_nothing_and_is_caught_up_with(tmp_path, capsys):
    home = tmp_path / "grpo" / "seed0"
    tracker = Tracker(home / "grpo", "grpo", SPEC, home, last=False)
    tracker.resume(0)
    tracker.log(1, {"loss": 1.0})
    found = services(os.getpid())
    for number in found:
        os.kill(number, signal.SIGKILL)
    time.sleep(0.2)
    for step in (2, 3, 4):
        tracker.log(step, {"loss": float(step)})
    tracker.close()
    assert found and "W&B stopped (" in capsys.readouterr().out
    assert [line["step"] for line in read_metrics(home / "grpo" / "metrics.jsonl")] == [1, 2, 3, 4]
    assert lacks(home)
    told(home, "evaluate")
    assert steps(home) == [1, 2, 3, 4] and not lacks(home)


def test_a_wandb_that_cannot_start_ends_nothing(tmp_path, monkeypatch, capsys):
    import wandb

    def fail(**arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wandb, "init", fail)
    train(tmp_path, [1, 2])
    assert "W&B stopped (OSError" in capsys.readouterr().out
    assert len(read_metrics(tmp_path / "grpo" / "metrics.jsonl")) == 2


def test_the_run_of_an_agent_is_that_of_the_run_directory(tmp_path, monkeypatch):
    """A shared stage has one of its own; a second trial with the same settings gets what the first one left."""
    home, shared = tmp_path / "grpo" / "seed0", tmp_path / "shared" / "sft-1"
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep1")
    monkeypatch.setenv("WANDB_RUN_ID", "trial1")
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("wandb_version: 1\nschedule:\n  value: cosine\n")
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(parameters))
    home.mkdir(parents=True)
    (home / "config.yaml").write_text("schedule: {maximum: 1.0}\nseed: 0\n")
    train(shared, [1], stage="sft", shared=True)
    train(home, [1, 2])
    report(home)
    told(home, "report")
    assert note(home)["id"] == "trial1" != note(shared)["id"]
    runs = {r.run.run_id: r.run for r in [*read(home), *read(shared)] if r.WhichOneof("record_type") == "run"}
    assert runs["trial1"].sweep_id == "sweep1" and runs[note(shared)["id"]].sweep_id == ""
    assert not lacks(home)
    monkeypatch.setenv("WANDB_RUN_ID", "trial2")
    assert lacks(home)
    told(home, "report")
    assert [row.get("grpo/step") for row in history(home, "trial2")][:2] == [1, 2]
    assert history(home, "trial2")[2]["dev/accuracy"] == pytest.approx(0.625)
    assert os.environ["WANDB_SWEEP_ID"] == "sweep1"


def test_the_end_of_a_run_sends_the_rest_and_says_how_to_sync(tmp_path, monkeypatch, capsys):
    from src.pipeline import tracking

    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2])
    report(home)
    config = SimpleNamespace(
        stages=["grpo", "evaluate", "report"], tracking=SPEC, rollout=SimpleNamespace(maximum_new_tokens=100),
        benchmark=SimpleNamespace(weights={}),
    )  # fmt: skip
    monkeypatch.setattr(tracking, "plan", lambda *_: [])
    tracking.complete(config, home)
    assert not lacks(home) and history(home)[2]["dev/hypervolume"] == pytest.approx(0.1875)
    assert f"wandb sync {home / 'wandb'}\n" in capsys.readouterr().out


def sync(server, folder, *paths):
    home = folder / "home"
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "wandb", "sync", *map(str, paths)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")} | {
        "WANDB_BASE_URL": server.url, "WANDB_API_KEY": "0" * 40, "HOME": str(home), "WANDB_ERROR_REPORTING": "false",
    }  # fmt: skip
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)


def test_sync_sends_all_processes_of_a_run_in_order(tmp_path):
    """Those of before, then those after a second sync; W&B's own step goes on."""
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    train(home, [3, 4, 5], resumed=2)
    with serving() as server:
        assert offline_log.unsent(home)
        done = sync(server, tmp_path, home / "wandb")
        assert done.returncode == 0 and not offline_log.unsent(home), done.stderr
        train(home, [6], resumed=5)
        report(home)
        told(home, "report")
        sync(server, tmp_path, home / "wandb")
        rows = server.history(note(home)["id"])
        summary = server.runs[note(home)["id"]]["summary"]
    assert [row["_step"] for row in rows] == list(range(8))
    assert [row.get("grpo/step") for row in rows] == [1, 2, 3, 4, 5, 6, None, None]
    assert summary["dev/accuracy"] == pytest.approx(0.625) and summary["grpo/step"] == 6


def test_a_resumed_run_online_repeats_no_step(tmp_path, monkeypatch):
    home = tmp_path / "grpo" / "seed0"
    with serving() as server:
        for name, value in {"MODE": "online", "BASE_URL": server.url, "API_KEY": "0" * 40}.items():
            monkeypatch.setenv(f"WANDB_{name}", value)
        train(home, [1, 2, 3])
        (home / "wandb.json").write_text(json.dumps({"id": note(home)["id"], "sent": {}}))  # as after a kill
        train(home, [3, 4], resumed=2)
        run = server.runs[note(home)["id"]]
        rows = server.history(note(home)["id"])
    assert [(row["_step"], row["grpo/step"]) for row in rows] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert run["exits"] == []  # stages are to come
