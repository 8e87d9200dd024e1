"""The status of runs, from directories as runs leave them."""

import fcntl
import json

import pytest

from src.commands import status
from src.common.errors import UserError
from src.pipeline.heartbeat import mark_running
from src.store.directory import ERROR, LOCK, OVERRIDES, SLURM
from src.store.status import read


def make(root, name, stages=("sft", "grpo"), **fields):
    directory = root / "laptop" / name / "seed1"
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text(f"stages: [{', '.join(stages)}]\n")
    if fields:
        (directory / "status.json").write_text(json.dumps(fields))
    return directory


def test_a_run_is_finished_when_its_last_stage_is(tmp_path):
    directory = make(tmp_path, "grpo", stage="grpo", step=60, total=60)
    (directory / "grpo").mkdir()
    assert read(directory).state == "stopped"
    (directory / "grpo" / "done.json").write_text("{}")
    assert read(directory).state == "finished"


def test_a_run_is_running_while_its_lock_is_held(tmp_path):
    directory = make(tmp_path, "grpo", stage="sft-abc", step=3, total=9, eta_seconds=61.0, message="loss 0.5")
    with (directory / LOCK).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        run = read(directory)
    assert (run.state, run.stage, run.step, run.total, run.eta) == ("running", "sft", 3, 9, 61.0)
    assert run.message == "loss 0.5" and run.age < 60
    left = read(directory)
    assert left.state == "stopped" and left.eta is None


def test_an_error_is_kept_and_forgotten_at_the_next_start(tmp_path):
    directory = make(tmp_path, "grpo")
    with pytest.raises(UserError), mark_running(directory):
        assert read(directory).state == "running"
        raise UserError("the rule, the value\nand the fix")
    assert read(directory).state == "failed"
    with mark_running(directory):
        assert read(directory).state == "running"
    assert read(directory).state == "stopped"


def test_the_last_metrics_are_told_where_the_status_does_not(tmp_path):
    directory = make(tmp_path, "grpo", stage="grpo", step=2, total=9)
    (directory / "grpo").mkdir()
    (directory / "grpo" / "metrics.jsonl").write_text('{"accuracy": 0.1}\n{"accuracy": 0.25, "fidelity": 0.5}\n')
    assert read(directory).message == "accuracy 0.25  fidelity 0.50"


def job(directory, **fields):
    (directory / SLURM).write_text(json.dumps({"job": "7_1", "state": "queued", "requeues": 0, **fields}))


def test_a_run_is_queued_while_its_job_is_and_nothing_else_is_known(tmp_path, capsys):
    directory = make(tmp_path, "grpo")
    job(directory)
    assert (read(directory).state, read(directory).message) == ("queued", "job 7_1")
    assert status.main([str(tmp_path), "--state", "queued"]) == 0
    assert "job 7_1" in (shown := capsys.readouterr().out) and "1 queued" in shown
    job(directory, requeues=2)
    assert read(directory).message == "job 7_1, queued again 2 times"
    with mark_running(directory):  # by hand, or the job before it has told
        assert read(directory).state == "running"
    (directory / ERROR).write_text("ConfigError: no")
    assert read(directory).state == "failed"
    for state in ("stopped", "running", "done"):  # the last two without a process: it was killed
        (directory / ERROR).unlink(missing_ok=True)
        job(directory, state=state)
        assert read(directory).state == "stopped"


def test_a_run_that_ends_with_a_shared_stage_is_finished_when_its_job_is_done(tmp_path):
    directory = make(tmp_path, "sft", stages=("sft",))
    job(directory, state="done")
    assert read(directory).state == "finished"


def test_the_table_has_failures_first_and_their_last_line_below(tmp_path, capsys):
    make(tmp_path, "a", stage="sft", step=1, total=2)
    broken = make(tmp_path, "b", stage="grpo", step=1, total=2)
    (broken / OVERRIDES).write_text("+experiment=b\nschedule.maximum=4\nseed=1\n")
    (broken / ERROR).write_text("RankFailed: something\nrank 1 of 2 ended\n")
    assert status.main([str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert shown.index("laptop/b/seed1") < shown.index("laptop/a/seed1")
    assert "schedule.maximum=4" in shown and "+experiment" not in shown
    assert "grpo 1/2" in shown and "rank 1 of 2 ended" in shown and "1 failed, 1 stopped" in shown
    assert status.main([str(tmp_path), "--state", "stopped"]) == 1
    assert "laptop/b" not in capsys.readouterr().out.split("failed:")[0]


def finished(root, name, *overrides):
    directory = make(root, name, stages=("evaluate", "report"))
    (directory / "report").mkdir()
    (directory / "report" / "done.json").write_text("{}")
    lines = (
        "split,domain,method,metric,value,low,high",
        f"test,all,{name},accuracy,0.5,0.4,0.6",
        f"test,seen,{name},accuracy,0.9,0.8,1",
    )
    (directory / "report" / "table.csv").write_text(
        "\r\n".join((*lines, f"test,all,{name},answer follows,nan,nan,nan"))
    )
    (directory / OVERRIDES).write_text("\n".join(overrides))
    return directory


def test_finished_runs_show_their_results_and_what_sets_them_apart(tmp_path, capsys):
    finished(tmp_path, "a", "evaluation.samples=4", "schedule.maximum=4")
    finished(tmp_path, "b", "evaluation.samples=4")
    assert status.main([str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("0.500") == 2 and "0.900" not in shown
    assert "schedule.maximum=4" in shown and "evaluation.samples" not in shown  # which both have
    assert max(map(len, shown.splitlines())) <= 80


def test_the_status_for_programs_is_strict_json(tmp_path, capsys):
    directory = finished(tmp_path, "a", "schedule.maximum=4")
    make(tmp_path, "b", stage="grpo", step=1, total=2)
    assert status.main([str(tmp_path), "--json"]) == 0
    done, stopped = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (done["directory"], done["state"], done["results"]) == (
        str(directory),
        "finished",
        {"test": {"accuracy": 0.5}},
    )
    assert (done["overrides"], stopped["state"], stopped["step"], stopped["total"]) == (
        ["schedule.maximum=4"],
        "stopped",
        1,
        2,
    )


def test_a_damaged_table_of_results_hides_no_run(tmp_path):
    directory = finished(tmp_path, "a")
    (directory / "report" / "table.csv").write_text("split,domain\ntest")
    assert (read(directory).state, read(directory).results) == ("finished", {})


def test_a_root_without_runs_is_an_error(tmp_path, capsys):
    assert status.main([str(tmp_path)]) == 2
    assert "must hold runs" in capsys.readouterr().err


def test_half_written_files_do_not_stop_it(tmp_path):
    directory = make(tmp_path, "grpo")
    (directory / "status.json").write_text('{"stage": "gr')
    (directory / "grpo").mkdir()
    (directory / "grpo" / "metrics.jsonl").write_text('{"accuracy": 0.')
    run = read(directory)
    assert (run.state, run.stage, run.message) == ("stopped", "", "")


@pytest.mark.parametrize("content", ["stages: [sft\nroot: {", "", "\x00\x00", "- 1"])
def test_one_damaged_configuration_hides_no_other_run(tmp_path, content):
    run = tmp_path / "laptop" / "grpo" / "seed0"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(content)
    assert "damaged" in read(run).message
