"""The real W&B library without a network: what an export holds, what a killed run leaves, and what `wandb sync` sends."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from src.store.records import ROLLOUTS
from src.store.rollouts import write_rollouts
from src.tracking.metrics_file import read_metrics
from src.tracking.shown import chosen
from src.tracking.spec import TrackingSpec
from src.tracking.tracker import Tracker
from src.tracking.wandb.backfill import backfill
from src.tracking.wandb.run import PARTIAL, WHOLE, WandbRun
from src.tracking.wandb.state import is_behind, is_unsent, state
from tests.helpers.evaluation import write_evaluation
from tests.helpers.paths import ROOT
from tests.helpers.wandb_server import serving

SPEC = TrackingSpec(wandb=True, rollouts_every=2, rollouts_rows=3, evaluation_rows=4)
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
        row = dict.fromkeys(column.name for column in ROLLOUTS)
        row |= {"step": step, "language": "sw", "completion": HOSTILE, "correct": True, "advantage": 0.5}
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


def stage_without_tracker(home, stage):
    """As the pipeline opens and closes W&B around it."""
    run = WandbRun(home, stage, SPEC, last=stage == "report")
    backfill(run, home, 100, {})
    run.close()


def end(home, stage="report", shared=False):
    """The end of a command: W&B gets what it lacks, without a network by an export."""
    run = WandbRun(home, stage, SPEC, shared=shared, export=True)
    backfill(run, home, 100, {})
    run.close()


def exports(home):
    return sorted((home / "wandb").glob("offline-run-*"))


def sync(server, folder, *paths):
    home = folder / "home"
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "wandb", "sync", *map(str, paths)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")} | {
        "WANDB_BASE_URL": server.url,
        "WANDB_API_KEY": "0" * 40,
        "HOME": str(home),
        "WANDB_ERROR_REPORTING": "false",
    }
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)


@contextmanager
def synced(folder, *homes):
    """A server that `wandb sync` has sent the runs of these directories."""
    with serving() as server:
        done = sync(server, folder, *(home / "wandb" for home in homes))
        assert done.returncode == 0 and not any(map(is_unsent, homes)), done.stderr
        yield server


def steps(server, home):
    return [row["grpo/step"] for row in server.history(state(home)["id"]) if "grpo/loss" in row]


def test_one_export_holds_metrics_rollouts_final_values_and_the_report(tmp_path):
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    report(home)
    stage_without_tracker(home, "evaluate")
    stage_without_tracker(home, "report")
    assert is_behind(home) and not (home / "wandb").exists() and not services(os.getpid())
    end(home)
    (folder,) = exports(home)
    assert not is_behind(home) and is_unsent(home)
    with synced(tmp_path, home) as server:
        assert list(server.runs) == [state(home)["id"]]
        rows = server.history(state(home)["id"])
        summary = server.runs[state(home)["id"]]["summary"]
        uploads = {name: size for name, size in server.uploads.items() if name.startswith("media/")}
    assert [(row.get("grpo/step"), row.get("grpo/loss"), row.get("grpo/accuracy/sw")) for row in rows[:3]] == [
        (1, 1.0, 0.25),
        (2, 2.0, 0.25),
        (3, 3.0, 0.25),
    ]
    assert [row["_step"] for row in rows] == list(range(5))
    assert rows[3]["dev/right_and_in_language"] == pytest.approx(0.375)
    assert rows[3]["dev/hypervolume"] == pytest.approx(0.1875)
    assert {"report/table", "report/pareto-dev"} <= rows[4].keys()
    assert "grpo/rollouts" in rows[1] and "grpo/rollouts" not in rows[0]
    assert summary["dev/right_and_in_language/sw"] == 0.5 and summary["grpo/step"] == 3
    files = {path.name: path for path in folder.glob("files/media/**/*.*")}
    assert uploads == {str(path.relative_to(folder / "files")): path.stat().st_size for path in files.values()}
    (table,) = (json.loads(path.read_text()) for name, path in files.items() if name.startswith("rollouts"))
    assert table["columns"] == [column.name for column in ROLLOUTS if column.in_tables]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["tokens"] for row in rows] == [0, 1, 2]  # of 4, evenly
    assert (rows[0]["step"], rows[0]["language"], rows[0]["advantage"], rows[0]["reward"]) == (2, "sw", 0.5, None)
    assert rows[0]["completion"] == "\\u001b[2J</think>\\boxed{1}\\u202e"
    assert {"gold", "answer"} <= set(table["columns"])
    (evaluated,) = (json.loads(path.read_text()) for name, path in files.items() if name.startswith("records"))
    rows = [dict(zip(evaluated["columns"], row, strict=True)) for row in evaluated["data"]]
    assert [(row["problem"], row["language"], row["correct"]) for row in rows] == [
        ("p0", "fr", True),
        ("p1", "fr", True),
        ("p3", "fr", False),
        ("p4", "sw", True),
    ]  # of 6, evenly
    assert any(name.startswith("pareto-dev") and name.endswith(".png") for name in files)


def test_rollouts_are_chosen_over_all_prompts():
    assert [row["n"] for row in chosen([{"n": n} for n in range(8)], 4)] == [0, 2, 4, 6]


CHILD = """
import sys
from pathlib import Path
from src.tracking.spec import TrackingSpec
from src.tracking.tracker import Tracker
from src.tracking.wandb import run as wandb_run
from src.tracking.wandb.backfill import backfill
home, killed_while = Path(sys.argv[1]), sys.argv[2]

def wait(*_):
    print("now", flush=True)
    sys.stdin.read()

tracker = Tracker(home / "grpo", "grpo", TrackingSpec(wandb=True), home, last=False)
tracker.resume(0)
for step in range(1, 41):
    tracker.log(step, {"loss": float(step), **{f"accuracy/{place}": 0.1 * place for place in range(100)}})
if killed_while == "training":
    wait()
tracker.close()
run = wandb_run.WandbRun(home, "grpo", TrackingSpec(wandb=True), export=True)
backfill(run, home, 100, {})
if killed_while == "exporting":
    wait()
wandb_run.publish = wait
run.close()
"""


def services(parent):
    """The processes of W&B that another has started."""
    done = subprocess.run(["pgrep", "-P", str(parent), "wandb-core"], capture_output=True, text=True)
    return [int(number) for number in done.stdout.split()]


def ended(number):
    """Whether a process is gone, or waits to be collected."""
    status = Path(f"/proc/{number}/stat")
    return not status.is_file() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def kill(process):
    """A process with its W&B service, as a job is killed."""
    numbers = services(process.pid)
    for number in numbers:
        os.kill(number, signal.SIGKILL)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while not all(map(ended, numbers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return numbers


@pytest.mark.parametrize("killed_while", ["training", "exporting", "publishing"])
def test_a_killed_run_loses_nothing_and_holds_every_step_once(tmp_path, killed_while):
    """Nothing that `wandb sync` would take is ever half written, and an export that is whole is not made again."""
    home = tmp_path / "grpo" / "seed0"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), killed_while],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        start_new_session=True,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout.readline() == "now\n"
    assert len(kill(child)) == (killed_while != "training")
    left = {"training": [], "exporting": [PARTIAL], "publishing": [WHOLE]}[killed_while]
    assert [name for name in (PARTIAL, WHOLE, "wandb") if (home / name).exists()] == left
    identity = state(home)["id"]
    train(home, range(31, 43), resumed=30)
    end(home)
    assert state(home)["id"] == identity and not is_behind(home)
    assert not (home / PARTIAL).exists() and not (home / WHOLE).exists()
    assert len(exports(home)) == (2 if killed_while == "publishing" else 1)
    with synced(tmp_path, home) as server:
        assert steps(server, home) == list(range(1, 43))
    assert [line["step"] for line in read_metrics(home / "grpo" / "metrics.jsonl")] == list(range(1, 43))


@pytest.fixture
def online(monkeypatch):
    """A server, which W&B is told to use."""
    with serving() as server:
        for name, value in {"MODE": "online", "BASE_URL": server.url, "API_KEY": "0" * 40}.items():
            monkeypatch.setenv(f"WANDB_{name}", value)
        yield server


def test_a_service_that_dies_ends_nothing_and_is_caught_up_with(tmp_path, capsys, online):
    home = tmp_path / "grpo" / "seed0"
    tracker = Tracker(home / "grpo", "grpo", SPEC, home, last=False)
    tracker.resume(0)
    tracker.log(1, {"loss": 1.0})
    numbers = services(os.getpid())
    for number in numbers:
        os.kill(number, signal.SIGKILL)
    time.sleep(0.2)
    for step in (2, 3, 4):
        tracker.log(step, {"loss": float(step)})
    tracker.close()
    assert numbers and "W&B stopped (" in capsys.readouterr().out
    assert [line["step"] for line in read_metrics(home / "grpo" / "metrics.jsonl")] == [1, 2, 3, 4]
    assert is_behind(home)
    stage_without_tracker(home, "evaluate")
    assert steps(online, home) == [1, 2, 3, 4] and not is_behind(home)


def test_a_service_that_dies_while_exporting_leaves_nothing_half_written(tmp_path, capsys):
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    run = WandbRun(home, "grpo", SPEC, export=True)
    backfill(run, home, 100, {})
    numbers = services(os.getpid())
    for number in numbers:
        os.kill(number, signal.SIGKILL)
    time.sleep(0.2)
    run.close()
    assert numbers and "W&B stopped (" in capsys.readouterr().out
    assert is_behind(home) and not exports(home)
    end(home)
    with synced(tmp_path, home) as server:
        assert steps(server, home) == [1, 2, 3]


def test_a_wandb_that_cannot_start_ends_nothing(tmp_path, monkeypatch, capsys):
    import wandb

    def fail(**arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wandb, "init", fail)
    train(tmp_path, [1, 2])
    end(tmp_path)
    assert "W&B stopped (OSError" in capsys.readouterr().out
    assert len(read_metrics(tmp_path / "grpo" / "metrics.jsonl")) == 2 and is_behind(tmp_path)


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
    assert is_behind(home) and is_behind(shared, shared=True)
    end(home)
    end(shared, "sft", shared=True)
    assert state(home)["id"] == "trial1" != state(shared)["id"]
    assert not is_behind(home) and not is_behind(shared, shared=True)
    with synced(tmp_path, home, shared) as server:
        assert server.runs["trial1"]["sweep"] == "sweep1" and not server.runs[state(shared)["id"]]["sweep"]
        assert [row["sft/step"] for row in server.history(state(shared)["id"])] == [1]
    monkeypatch.setenv("WANDB_RUN_ID", "trial2")
    assert is_behind(home) and not is_behind(shared, shared=True)
    end(home)
    with synced(tmp_path, home) as server:
        rows = server.history("trial2")
    assert [row.get("grpo/step") for row in rows][:2] == [1, 2]
    assert rows[2]["dev/accuracy"] == pytest.approx(0.625)
    assert os.environ["WANDB_SWEEP_ID"] == "sweep1"


def test_the_end_of_a_run_exports_it_with_its_shared_stages_and_says_how_to_sync(tmp_path, monkeypatch, capsys):
    from src.pipeline import tracking

    home, shared = tmp_path / "grpo" / "seed0", tmp_path / "shared" / "sft-1"
    untracked = tmp_path / "shared" / "pretrain-1"
    train(shared, [1], stage="sft", shared=True)
    train(untracked, [1], stage="pretrain", shared=True)
    (untracked / "wandb.json").unlink()  # W&B was off when it was made
    train(home, [1, 2])
    report(home)
    config = SimpleNamespace(
        stages=["grpo", "evaluate", "report"],
        tracking=SPEC,
        rollout=SimpleNamespace(maximum_new_tokens=100),
        benchmark=SimpleNamespace(weights={}),
    )
    stages = {"sft": shared, "pretrain": untracked, "grpo": home / "grpo"}
    planned = [SimpleNamespace(name=name, directory=directory) for name, directory in stages.items()]
    monkeypatch.setattr(tracking, "plan", lambda *_: planned)
    for _ in range(2):
        tracking.complete(config, home)
        assert not is_behind(home) and len(exports(home)) == len(exports(shared)) == 1 and not exports(untracked)
        assert f"wandb sync {home / 'wandb'} {shared / 'wandb'}\n" in capsys.readouterr().out
    with synced(tmp_path, home, shared) as server:
        assert server.history(state(home)["id"])[2]["dev/hypervolume"] == pytest.approx(0.1875)
        assert server.runs[state(home)["id"]]["exits"] == [0]
    tracking.complete(config, home)
    assert capsys.readouterr().out == ""


def test_a_run_that_grew_after_a_sync_is_exported_and_appended(tmp_path):
    """W&B's own step goes on."""
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    end(home)
    train(home, [3, 4, 5], resumed=2)
    end(home)
    with serving() as server:
        assert is_unsent(home)
        done = sync(server, tmp_path, home / "wandb")
        assert done.returncode == 0 and not is_unsent(home), done.stderr
        train(home, [6], resumed=5)
        report(home)
        end(home)
        sync(server, tmp_path, home / "wandb")
        rows = server.history(state(home)["id"])
        summary = server.runs[state(home)["id"]]["summary"]
    assert [row["_step"] for row in rows] == list(range(8))
    assert [row.get("grpo/step") for row in rows] == [1, 2, 3, 4, 5, 6, None, None]
    assert summary["dev/accuracy"] == pytest.approx(0.625) and summary["grpo/step"] == 6


def test_a_run_without_a_network_is_sent_at_its_end_when_the_network_is_back(tmp_path, monkeypatch):
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    with serving() as server:
        for name, value in {"MODE": "online", "BASE_URL": server.url, "API_KEY": "0" * 40}.items():
            monkeypatch.setenv(f"WANDB_{name}", value)
        end(home)
        assert steps(server, home) == [1, 2, 3] and not exports(home)


def test_a_resumed_run_online_repeats_no_step(tmp_path, online):
    home = tmp_path / "grpo" / "seed0"
    train(home, [1, 2, 3])
    (home / "wandb.json").write_text(json.dumps({"id": state(home)["id"], "sent": {}}))  # as after a kill
    train(home, [3, 4], resumed=2)
    run = online.runs[state(home)["id"]]
    rows = online.history(state(home)["id"])
    assert [(row["_step"], row["grpo/step"]) for row in rows] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert run["exits"] == []  # stages are to come
