"""Sets of runs: what is read, where runs go, and what a failure leaves."""

from pathlib import Path

import pytest

from src import launch
from src.errors import UserError
from src.launch import Job, RunsSpec, jobs_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in (ROOT / "experiments").glob("*/runs.yaml")))
def test_every_set_of_runs_is_read_and_names_experiments_that_exist(folder):
    spec = RunsSpec.read(ROOT / "experiments" / folder / "runs.yaml")
    assert all((ROOT / "conf" / "experiment" / f"{name}.yaml").is_file() for name in spec.experiments)
    assert spec.compared in ("", *spec.experiments)


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
        "-m", "src.run", "+experiment=sft", "seed=1", "scale=laptop", "root=runs", "grpo.steps=3",
    ]  # fmt: skip
    assert jobs[0].directory.parts[:3] == ("runs", "laptop", "sft")


def test_a_failed_run_is_shown_and_ends_with_code_1(tmp_path, capsys):
    (tmp_path / "runs.yaml").write_text("title: x\nexperiments: [sft]\noverrides: ['grpo.stepz=1']\n")
    assert launch.main([str(tmp_path), "--root", str(tmp_path / "runs")]) == 1
    shown = capsys.readouterr().err
    assert "sft seed 0 failed" in shown
    assert "Did you mean 'steps'" in shown


def test_a_job_that_never_started_shows_as_starting(tmp_path):
    bars = launch.Bars([])
    job = Job("grpo", 0, (), tmp_path / "a" / "b" / "c")
    assert bars._text(job) == "grpo seed 0: starting"


def test_overrides_may_stand_anywhere_on_the_command_line(tmp_path, capsys):
    (tmp_path / "runs.yaml").write_text("title: x\nexperiments: [sft]\n")
    assert launch.main([str(tmp_path), "--root", str(tmp_path / "runs"), "--jobs", "1", "grpo.stepz=1"]) == 1
    assert "Did you mean 'steps'" in capsys.readouterr().err
