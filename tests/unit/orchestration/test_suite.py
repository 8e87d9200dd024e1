"""Sets of runs: what is read, where runs go, and what a failure leaves."""

import signal
import subprocess
import sys
import time

import pandas
import pytest
import yaml

from src.commands.launch import main
from src.common.errors import UserError
from src.config.directory import directory_of
from src.orchestration import suite
from src.orchestration.arms import RunsSpec
from src.orchestration.bars import Bars
from src.orchestration.jobs import Job, Runs
from tests.helpers.paths import ROOT
from tests.helpers.processes import heed_interrupts


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in (ROOT / "experiments").glob("*/runs.yaml")))
def test_every_set_of_runs_is_read_and_names_experiments_that_exist(folder):
    spec = RunsSpec.read(ROOT / "experiments" / folder / "runs.yaml")
    assert all((ROOT / "conf" / "experiment" / f"{arm.experiment}.yaml").is_file() for arm in spec.arms())
    assert spec.compared in ("", *(arm.name for arm in spec.arms()))


def jobs_of(spec, scale, root, chosen=None):
    return [task.job() for task in Runs(spec, scale, root, chosen or {}).tasks()]


def tuning_jobs(spec, scale, root):
    return [task.job() for task in Runs(spec, scale, root).tuning_tasks()]


def test_a_misspelt_field_is_named(tmp_path):
    (tmp_path / "runs.yaml").write_text("title: x\nexperiment: [grpo]\n")
    with pytest.raises(UserError, match="unknown field 'experiment'. Did you mean 'experiments'"):
        RunsSpec.read(tmp_path / "runs.yaml")
    with pytest.raises(UserError, match="no such file"):
        RunsSpec.read(tmp_path / "nowhere" / "runs.yaml")


def test_jobs_go_experiment_by_experiment_to_the_folder_their_command_makes(tmp_path):
    spec = RunsSpec("t", ["sft", "grpo"], seeds=[1, 2], overrides=["grpo.steps=3"])
    jobs = jobs_of(spec, "laptop", "runs")
    assert [(job.seed, job.experiment) for job in jobs] == [(1, "sft"), (2, "sft"), (1, "grpo"), (2, "grpo")]
    assert jobs[0].command[1:] == [
        "-m",
        "src.run",
        "+experiment=sft",
        "seed=1",
        "scale=laptop",
        "root=runs",
        "grpo.steps=3",
    ]
    assert jobs[0].directory.parts[:3] == ("runs", "laptop", "sft")


def test_a_job_lives_where_its_command_does(tmp_path):
    spec = RunsSpec(
        "t", [CHOICE, {"name": "C", "experiment": "grpo", "overrides": ["evaluation.seed=${seed}"]}], seeds=[0, 3]
    )
    for job in [*tuning_jobs(spec, "tiny", str(tmp_path)), *jobs_of(spec, "tiny", str(tmp_path))]:
        assert job.directory == directory_of(job.command[3:])


def test_a_failed_run_is_shown_and_ends_with_code_1(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("src.commands.launch.preflight", lambda runs: "")  # which would not let it start
    (tmp_path / "runs.yaml").write_text("title: x\nexperiments: [sft]\noverrides: ['grpo.steps=0']\n")
    assert main([str(tmp_path), "--root", str(tmp_path / "runs")]) == 1
    shown = capsys.readouterr().err
    assert "sft seed 0 failed" in shown
    assert "grpo.steps, grpo.prompts_per_step and grpo.updates_per_step must be at least 1" in shown


def test_an_arm_that_cannot_be_composed_is_named_before_anything_runs(tmp_path, capsys):
    arms = "[sft, {name: fast, experiment: grpo, overrides: ['grpo.stepz=1']}]"
    (tmp_path / "runs.yaml").write_text(f"title: x\nexperiments: {arms}\n")
    assert main([str(tmp_path), "--root", str(tmp_path / "runs")]) == 2
    shown = capsys.readouterr().err
    assert "fast: unknown key 'grpo.stepz'. Did you mean 'steps'" in shown
    assert not (tmp_path / "runs").exists()


def test_a_job_that_never_started_shows_as_starting(tmp_path):
    bars = Bars(0)
    job = Job("grpo", "grpo", 0, (), tmp_path / "a" / "b" / "c")
    assert bars._text(job) == "grpo seed 0: starting"


def test_overrides_may_stand_anywhere_on_the_command_line(tmp_path, capsys):
    (tmp_path / "runs.yaml").write_text("title: x\nexperiments: [sft]\n")
    assert main([str(tmp_path), "--root", str(tmp_path / "runs"), "--jobs", "1", "grpo.stepz=1"]) == 2
    assert "Did you mean 'steps'" in capsys.readouterr().err


CHOICE = {"name": "B", "experiment": "grpo", "overrides": ["grpo.steps=2"], "choose": {"schedule.maximum": [1, 4]}}


def test_every_value_of_a_choice_runs_with_the_first_seeds(tmp_path):
    jobs = tuning_jobs(RunsSpec("t", ["sft", CHOICE], seeds=[1, 2, 3]), "laptop", "runs")
    assert [(job.name, job.overrides[2:], job.seed) for job in jobs] == [
        ("B", ("grpo.steps=2", f"schedule.maximum={value}"), seed) for value in (1, 4) for seed in (1, 2)
    ]


def test_the_value_that_is_best_on_dev_is_chosen_and_test_has_no_say(tmp_path):
    spec = RunsSpec("t", ["sft", CHOICE], seeds=[1, 2, 3])
    for job in tuning_jobs(spec, "laptop", str(tmp_path)):
        good = float(job.overrides[-1].endswith("=4"))
        rows = [("dev", "fr", good), ("dev", "sw", 0.0), ("test", "fr", 1 - good), ("test", "sw", 1 - good)]
        frame = pandas.DataFrame(rows, columns=["split", "language", "right_and_in_language"])
        (job.directory / "evaluate").mkdir(parents=True)
        frame.to_parquet(job.directory / "evaluate" / "records.parquet")
    chosen, tried = suite.choose(Runs(spec, "laptop", str(tmp_path)))
    assert chosen == {"sft": (), "B": ("grpo.steps=2", "schedule.maximum=4")}
    assert [(row["value"], row["right_and_in_language"], row["chosen"]) for row in tried] == [
        ("schedule.maximum=1", 0.0, False),
        ("schedule.maximum=4", 0.5, True),
    ]
    jobs = jobs_of(spec, "laptop", str(tmp_path), chosen)
    assert [job.overrides[2:] for job in jobs if job.name == "B"] == [("grpo.steps=2", "schedule.maximum=4")] * 3


def test_arms_take_over_what_was_chosen_elsewhere():
    spec = RunsSpec("t", ["sft", {"name": "B", "experiment": "grpo"}], seeds=[1], overrides=["world=weak"])
    jobs = jobs_of(spec, "laptop", "runs", {"sft": (), "B": ("schedule.maximum=4",), "C": ("x=1",)})
    assert [job.overrides[2:] for job in jobs] == [("world=weak",), ("world=weak", "schedule.maximum=4")]


def test_what_is_chosen_elsewhere_is_chosen_for_arms_of_the_same_experiment():
    for path in (ROOT / "experiments").glob("*/runs.yaml"):
        spec = RunsSpec.read(path)
        if spec.chosen_by:
            there = {arm.name: arm.experiment for arm in RunsSpec.read(ROOT / spec.chosen_by / "runs.yaml").arms()}
            assert all(there.get(arm.name) == arm.experiment for arm in spec.arms())


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([CHOICE | {"chose": 1}], "unknown field 'chose' in experiments. Did you mean 'choose'"),
        ([{"name": "x"}], "field 'experiment' is missing"),
        ([CHOICE | {"choose": {"a": [1]}}], "one setting with two or more values"),
        (["grpo", "grpo"], "more than one is called 'grpo'"),
    ],
)
def test_an_arm_that_makes_no_sense_is_named(tmp_path, entries, message):
    (tmp_path / "runs.yaml").write_text(yaml.safe_dump({"title": "x", "experiments": entries}))
    with pytest.raises(UserError, match=message):
        RunsSpec.read(tmp_path / "runs.yaml")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_set_of_runs_that_ends_leaves_no_run_behind(tmp_path, overrides, number):
    """By Ctrl-C, by SIGTERM, and by SIGKILL, which nobody can heed."""
    (tmp_path / "runs.yaml").write_text("title: x\nexperiments: [grpo]\n")
    root = next(text for text in overrides if text.startswith("root="))
    more = [text for text in overrides if not text.startswith(("root=", "scale="))]
    command = [sys.executable, "-m", "src", "launch", str(tmp_path), "--root", root.partition("=")[2], "--jobs", "1"]
    process = subprocess.Popen(
        [*command, *more, "grpo.steps=1000"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=heed_interrupts,
    )
    wait_until(lambda: processes_of(root))
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    wait_until(lambda: not processes_of(root))
    if number != signal.SIGKILL:
        assert "interrupted; the same command again resumes" in said and process.returncode == 130


def processes_of(root):
    """The command lines of runs with this `root=...` that are alive."""
    shown = subprocess.run(["ps", "-A", "-o", "args", "-ww"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if root in line and "src.run" in line]


def wait_until(condition, seconds=60):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline
        time.sleep(0.05)
