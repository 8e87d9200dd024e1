"""What begins and ends the report script of an experiment."""

from src.orchestration.study import evaluated, report

RUNS = """\
title: "two arms"
experiments:
  - {name: Base, experiment: base}
  - grpo
seeds: [1, 2]
"""


def folder(tmp_path):
    (tmp_path / "runs.yaml").write_text(RUNS)
    return tmp_path


def test_the_page_is_made_of_the_runs_that_were_asked_for(tmp_path, capsys):
    def page(runs, output):
        (output / "picture.svg").write_text("")
        return f"{[arm.name for arm in runs.spec.arms()]} {runs.spec.seeds} {runs.scale} {runs.root}\n\n"

    arguments = ["--scale", "tiny", "--root", "there", "--seeds", "7"]
    assert report(folder(tmp_path), "About it.", page, arguments) == 0
    written = tmp_path / "results" / "tiny" / "report.md"
    assert written.read_text() == "['Base', 'grpo'] [7] tiny there\n"
    assert (written.parent / "picture.svg").is_file()
    assert str(written) in capsys.readouterr().out


def test_runs_that_are_not_finished_are_an_error_that_says_so(tmp_path, capsys):
    def page(runs, output):
        return str(evaluated([task.job() for task in runs.tasks()]))

    assert report(folder(tmp_path), "About it.", page, ["--root", str(tmp_path / "runs")]) == 2
    assert "Base seed 1: no records at" in capsys.readouterr().err
    assert not (tmp_path / "results" / "laptop" / "report.md").exists()


def test_an_arm_that_starts_from_an_unfinished_one_is_an_error_too(tmp_path, capsys):
    def page(runs, output):
        jobs = [task.job() for task in runs.tasks()]
        return str(len(jobs))

    (tmp_path / "runs.yaml").write_text(
        'title: "a chain"\nexperiments:\n  - {name: SFT, experiment: sft}\n  - {name: after, experiment: grpo, from: SFT}\nseeds: [1]\n'
    )
    assert report(tmp_path, "About it.", page, ["--root", str(tmp_path / "runs")]) == 2
    complaint = capsys.readouterr().err
    assert "the stage sft in" in complaint and "must have finished" in complaint
