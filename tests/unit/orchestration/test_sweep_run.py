"""A small sweep from end to end: trials, early stops, resuming, its table and pictures."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from src.commands.sweep import main
from src.orchestration.pool import Pool
from src.orchestration.sweep.driver import Driver
from src.orchestration.sweep.file import read
from src.orchestration.sweep.report import write
from src.orchestration.sweep.results import ranked
from src.orchestration.sweep.trials import Ledger, Trial, error_of
from src.store.status import held
from tests.helpers.paths import ROOT


@pytest.fixture
def small(tmp_path, overrides):
    """A sweep file of two trials over a learning rate and the schedule, and its folder."""
    path = tmp_path / "small.yaml"
    content = {
        "program": "src.run",
        "method": "bayes",
        "run_cap": 2,
        "metric": {"name": "dev/accuracy", "goal": "maximize"},
        "parameters": {"schedule": {"values": ["cosine", "linear"]}, "schedule.maximum": {"min": 0.5, "max": 4.0}},
        "command": [
            "${env}",
            "python",
            "-m",
            "${program}",
            "+experiment=adamame_grpo",
            *overrides,
            "stages=[grpo,evaluate]",
            "evaluation.splits=[dev]",
            "evaluation.languages=[fr,en]",
            "evaluation.every=1",
            "evaluation.every_problems=2",
            "tracking=wandb",
            "${args_no_hyphens}",
        ],
    }
    path.write_text(yaml.safe_dump(content))
    return path, tmp_path / "runs" / "tiny" / "_sweep-small"


def test_a_sweep_from_end_to_end(small, capfd):
    path, folder = small
    assert main([str(path), "--jobs", "2"]) == 0
    said = capfd.readouterr().out
    assert "2 finished" in said and "dev/accuracy" in said and "python -m src.run +experiment=adamame_grpo" in said
    rows = list(csv.DictReader((folder / "table.csv").open()))
    assert sorted(int(row["trial"]) for row in rows) == [0, 1]
    assert all(row["state"] == "finished" and 0 <= float(row["dev/hypervolume"]) <= 1 for row in rows)
    for name in ("search", "parallel", "front"):
        assert (folder / f"{name}.png").stat().st_size > 5000
    assert "data:image/png" in (folder / "report.html").read_text()
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert all("tracking=jsonl" in line["overrides"] and "tracking=wandb" not in line["overrides"] for line in lines)
    metrics = Path(lines[0]["directory"]) / "grpo" / "metrics.jsonl"
    assert [("dev/accuracy" in json.loads(line)) for line in metrics.read_text().splitlines()] == [
        True,
        True,
        True,
        False,
    ]
    # The same command finds everything done; more trials go on from there, and another sweep is not mixed in.
    before = (folder / "trials.jsonl").read_text()
    began = time.time()
    assert main([str(path), "--jobs", "2"]) == 0
    assert (folder / "trials.jsonl").read_text() == before and time.time() - began < 10
    assert main([str(path), "seed=5"]) == 2
    assert "holds the trials of another sweep; other there: fixed" in capfd.readouterr().err
    assert main([str(path), "schedule=cosine"]) == 2
    assert "schedule=cosine: the sweep searches that setting" in capfd.readouterr().err


def test_hopeless_trials_are_stopped(small, capfd):
    """The second trial may write three times as many tokens as the first: at its first value it is worse, and ends."""
    path, folder = small
    content = yaml.safe_load(path.read_text())
    content["early_terminate"] = {"type": "hyperband", "min_iter": 1, "eta": 3, "strict": True}
    content["method"], content["parameters"] = "grid", {"rollout.maximum_new_tokens": {"values": [8, 24]}}
    content["metric"] = {"name": "dev/tokens", "goal": "minimize"}
    content["command"][-1:] = ["grpo.steps=60", "evaluation.every=20", "${args_no_hyphens}"]  # there is time to stop it
    path.write_text(yaml.safe_dump(content))
    assert main([str(path)]) == 0
    first, second = csv.DictReader((folder / "table.csv").open())
    assert (first["trial"], first["state"], first["rollout.maximum_new_tokens"]) == ("0", "finished", "8")
    assert {name.split("/")[0] for name in first if "/" in name} == {"dev"}  # and nothing of the training rollouts
    assert second["state"].startswith("stopped after ") and float(second["dev/tokens"]) > float(first["dev/tokens"])
    assert "1 finished, 1 stopped early" in capfd.readouterr().out
    before = (folder / "trials.jsonl").read_text()
    assert main([str(path)]) == 0 and (folder / "trials.jsonl").read_text() == before


def processes_of(root):
    """The command lines of the runs under a root that are alive."""
    shown = subprocess.run(["ps", "-A", "-o", "args", "-ww"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if f"root={root}" in line]


def wait_until(condition, seconds=30):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline
        time.sleep(0.05)


def test_a_killed_sweep_goes_on_with_the_same_trials(small):
    path, folder = small
    command = [sys.executable, "-m", "src.sweep", str(path), "--jobs", "2"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.time() + 120
    while not (folder / "trials.jsonl").is_file() and time.time() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not processes_of(folder.parent.parent))  # its trials are killed with it
    first = (folder / "trials.jsonl").read_text()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    after = (folder / "trials.jsonl").read_text()
    assert after.startswith(first) and len(after.splitlines()) == 2


def test_a_sweep_that_is_asked_to_end_takes_its_trials_along(small):
    path, folder = small
    process = subprocess.Popen(
        [sys.executable, "-m", "src.sweep", str(path)],
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.time() + 120
    while not list(folder.parent.glob("*/seed*/log.txt")) and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)  # its process is there
    process.send_signal(signal.SIGTERM)
    assert "interrupted; the same command again resumes" in process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert not processes_of(folder.parent.parent)


def test_a_trial_that_fails_is_told_and_tried_again(small, capfd):
    path, folder = small
    content = yaml.safe_load(path.read_text())
    content["method"], content["run_cap"] = "grid", None
    content["parameters"] = {"schedule.onset": {"values": [1.0, 0.0]}}  # onset must be below end
    path.write_text(yaml.safe_dump(content))
    assert main([str(path)]) == 1
    printed = capfd.readouterr()
    assert "1 finished, 1 failed" in printed.out
    assert "trial 0 failed" in printed.err and "0 <= onset < end <= 1; got onset 1.0" in printed.err
    rows = list(csv.DictReader((folder / "table.csv").open()))
    assert [row["state"].split(":")[0] for row in rows] == ["finished", "failed"]
    assert [row["schedule.onset"] for row in rows] == ["0", "1"]
    # What was refused then may be taken now.
    driver = Driver.of(read(path), (), 0)
    driver.trials = [Trial(0, {"schedule.onset": "0"}, (), folder, error="refused")]
    driver._again(0)
    assert driver.trials[0].error == "" and "schedule.onset=0" in driver.trials[0].overrides
    assert driver.trials[0].directory.parent == folder.parent / "adamame_grpo"


@pytest.mark.parametrize("option", ["--jobs", "--trials"])
def test_nothing_to_do_is_refused(small, capfd, option):
    assert main([str(small[0]), option, "0"]) == 2
    assert f"{option} must be at least 1; got 0" in capfd.readouterr().err


def test_one_process_at_a_time_is_at_work_on_a_ledger(small, monkeypatch):
    path, folder = small
    lock_held = []
    monkeypatch.setattr(Driver, "carry_out", lambda self, count, jobs: lock_held.append(held(lock)))
    monkeypatch.setattr("src.orchestration.sweep.report.write", lambda *_: "")
    lock = folder.parent / "._sweep-small.lock"
    assert main([str(path)]) == 0 and lock_held == [True] and not held(lock)


def test_why_a_trial_has_no_value(tmp_path):
    """The last line of its error; what it measured last is none, and a run that ended well may lack the metric."""
    trial = Trial(0, {}, (), tmp_path)
    assert error_of(trial, "dev/lcpr").startswith("it left no error behind")
    (tmp_path / "config.yaml").write_text("stages: [grpo]")
    (tmp_path / "status.json").write_text(json.dumps({"stage": "grpo", "message": "accuracy 0.50"}))
    assert error_of(trial, "dev/lcpr").startswith("it left no error behind")
    (tmp_path / "error.txt").write_text("ValueError: one\nthe fix")
    assert error_of(trial, "dev/lcpr") == "the fix"
    (tmp_path / "grpo").mkdir()
    (tmp_path / "grpo" / "done.json").write_text("{}")
    assert error_of(trial, "dev/lcpr") == "the run has no value of dev/lcpr: it is not a number there"


def test_a_stopped_trial_that_its_own_command_finished_is_finished(small, tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("stages: [grpo]")
    (tmp_path / "grpo").mkdir()
    (tmp_path / "grpo" / "done.json").write_text("{}")
    monkeypatch.setattr("src.orchestration.sweep.driver.results_of", lambda trial: {"dev/accuracy": 0.5})
    driver = Driver.of(read(small[0]), (), 0)
    driver.trials = [Trial(0, {"schedule": "cosine", "schedule.maximum": 1.0}, (), tmp_path, stopped_at=2)]
    assert driver._take_in(0) and driver.trials[0].stopped_at == 0


def test_a_second_interrupt_leaves_nobody_behind(tmp_path):
    """The first one waits for a process that does not heed SIGTERM, the second comes while it waits."""
    process = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo; sleep 60"], stdout=subprocess.PIPE, start_new_session=True
    )
    process.stdout.readline()  # it is deaf from here on
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    pool = Pool()
    pool._processes[0], pool._directories[0] = process, tmp_path
    try:
        with pytest.raises(KeyboardInterrupt), pool:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert process.poll() == -signal.SIGKILL and pool.running == []


def test_a_grid_without_a_metric_ends_at_no_target(small, capfd):
    """Its trials are ordered by what the project is about; a target needs a metric of the file."""
    path, folder = small
    content = yaml.safe_load(path.read_text()) | {"method": "grid", "parameters": {"seed": {"values": [1]}}}
    del content["metric"]
    path.write_text(yaml.safe_dump(content))
    assert main([str(path)]) == 0
    assert "grid over 1 settings, maximize dev/right_and_in_language; 1 finished" in capfd.readouterr().out
    assert json.loads((folder / "sweep.json").read_text())["metric"] == "dev/right_and_in_language"


def test_a_trial_that_reaches_the_target_is_the_last(small, capfd):
    path, _ = small
    content = yaml.safe_load(path.read_text())
    content["metric"]["target"] = 0.0
    content |= {"parameters": {"schedule.maximum": {"distribution": "log_normal", "sigma": 0.1}}}
    path.write_text(yaml.safe_dump(content))
    assert main([str(path)]) == 0
    said = capfd.readouterr().out
    assert "metric.target 0 is reached" in said and "1 trials in" in said
    assert main([str(path)]) == 0  # and no other one is asked for later
    assert "1 trials in" in capfd.readouterr().out


def test_a_search_without_an_end_is_refused(small, capfd):
    path, _ = small
    content = yaml.safe_load(path.read_text())
    del content["run_cap"]
    path.write_text(yaml.safe_dump(content))
    assert main([str(path)]) == 2
    assert "a bayes search has no end of its own: give run_cap in the file, or --trials" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": {"name": "test/accuracy"}}, "metric.name must be <split>/<metric> .* evaluation.splits has dev"),
        ({"metric": {"name": "dev/acuracy"}}, "metric.name must be .* Did you mean 'accuracy'"),
        ({"metric": {"name": "dev/accuracy/sw"}}, "metric.name must be .* evaluation.languages has fr, en"),
        (
            {"metric": {"name": "dev/lcpr"}, "early_terminate": {"type": "hyperband", "min_iter": 1}},
            "early_terminate needs a metric that is measured on the way, dev/accuracy",
        ),
        ({"parameters": {"schedule.maxi": {"values": [1]}}}, "schedule.maxi"),
    ],
)
def test_a_sweep_that_cannot_work_is_refused(small, capfd, changes, message):
    path, _ = small
    content = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump(content))
    assert main([str(path)]) == 2
    assert re.search(message, capfd.readouterr().err)


def test_the_table_is_ordered_by_the_goal(tmp_path, small):
    sweep = read(small[0])
    trials = [
        Trial(
            k, {"schedule": "cosine", "schedule.maximum": 1.0 + k}, ("schedule=cosine", "schedule.maximum=1"), tmp_path
        )
        for k in range(3)
    ]
    results = {
        k: {"dev/accuracy": value, "dev/fidelity": 1 - value, "dev/tokens": 9.0}
        for k, value in enumerate((0.2, 0.9, 0.5))
    }
    assert [row.trial.number for row in ranked(sweep, trials, results)] == [1, 2, 0]
    (tmp_path / "out").mkdir()
    said = write(tmp_path / "out", sweep, trials, results, {}, "command")
    assert said.index("0.900") < said.index("0.500") < said.index("0.200")


def test_a_stopped_trial_is_not_the_best(tmp_path, small, monkeypatch):
    """Trial 1 had 0.9 on fewer questions when it was stopped: it comes last, and is neither the best nor on the front. A
    setting in which trials differ is shown also where those that are shown do not."""
    monkeypatch.setattr("src.orchestration.sweep.report.SHOWN", 1)
    drawn = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.step", lambda self, x, y, **_: drawn.append((list(x), [v for v in y if v == v]))
    )
    monkeypatch.setattr("matplotlib.axes.Axes.scatter", lambda self, x, y, **_: drawn.append(list(y)))
    monkeypatch.setattr("matplotlib.figure.Figure.colorbar", lambda *_, **__: None)
    sweep = read(small[0])
    trials = [
        Trial(
            k, {"schedule": name, "schedule.maximum": 1.0}, ("a=[1,2]", "b=1", "c=2"), tmp_path, stopped_at=2 * (k == 1)
        )
        for k, name in enumerate(("cosine", "linear", "linear"))
    ]
    results = {k: {"dev/accuracy": v, "dev/fidelity": v, "dev/tokens": 9.0} for k, v in enumerate((0.2, 0.9, 0.5))}
    assert [row.trial.number for row in ranked(sweep, trials, results)] == [2, 0, 1]
    said = write(tmp_path, sweep, trials, results, {}, "command")
    assert drawn == [([0, 1, 2], [0.2, 0.2, 0.5]), [0.5, 0.2]]
    assert "schedule" in said.split("the best again")[0] and "0.900" not in said
    assert "python -m src.run 'a=[1,2]' b=1 c=2 seed=<another>" in said
    assert "Stopped trials come last" in (tmp_path / "report.md").read_text()


def test_a_ledger_is_whole_or_as_before(tmp_path, small):
    sweep, ledger = read(small[0]), Ledger(tmp_path / "ledger")
    assert ledger.open(sweep, ("a=1",), 0) == []
    trials = [Trial(0, {"schedule": "cosine", "schedule.maximum": 1.5}, ("a=1", "schedule=cosine"), tmp_path, 2, "no")]
    ledger.save(trials)
    assert ledger.open(sweep, ("a=1",), 0) == trials
