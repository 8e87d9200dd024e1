"""A report of finished runs from different roots, and what is refused."""

import pytest

from src.commands.report import main
from tests.helpers.finished import finished_run

RIGHT = {"fr": [1, 1, 1, 1], "en": [1, 1, 0, 0]}
WRONG = {"fr": [1, 0, 0, 0], "en": [1, 1, 0, 0]}


@pytest.fixture
def roots(tmp_path):
    """Two seeds of GRPO under one root, two of SFT under another."""
    for seed in (1, 2):
        finished_run(tmp_path / "a" / "grpo" / f"seed{seed}", RIGHT, seed=seed)
        finished_run(tmp_path / "b" / "sft" / f"seed{seed}", WRONG, method="sft", seed=seed)
    return tmp_path


def test_runs_of_any_roots_make_one_report(roots, capsys):
    out = roots / "out"
    assert (
        main(
            [
                str(roots / "a" / "grpo"),
                str(roots / "b" / "sft" / "seed1"),
                str(roots / "b" / "sft" / "seed2"),
                "--output",
                str(out),
            ]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "grpo, sft: test, 4 problems x 2 languages, 2 seeds"
    assert lines[1].split()[-1] == "non-en" and [line.split()[-1] for line in lines[2:4]] == ["1.000", "0.250"]
    assert f"report: {out / 'report.html'}" in lines and max(map(len, lines[:6])) <= 80
    text = (out / "report.md").read_text()
    assert "| all | SFT | +0.375 [" in text  # (1 + 1/2) / 2 - (1/4 + 1/2) / 2
    assert "| non-en | SFT | +0.750 [" in text
    assert f"| runs of sft | {roots / 'b' / 'sft' / 'seed1'}, {roots / 'b' / 'sft' / 'seed2'} |" in text
    assert f"python -m src report {roots / 'a' / 'grpo'}" in text
    assert main([str(roots / "a" / "grpo"), "--output", str(out)]) == 0  # its own report may be made again


def test_single_runs_are_a_pair_whatever_their_seeds_and_may_be_named(roots):
    one, other = roots / "a" / "grpo" / "seed1", roots / "b" / "sft" / "seed2"
    assert main([f"ours={one}", f"theirs={other}", "--compared", "theirs", "--output", str(roots / "out")]) == 0
    assert "| all | ours | -0.375 [" in (roots / "out" / "report.md").read_text()


def refused(capsys, *arguments):
    assert main(list(map(str, arguments))) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    return printed.err


def test_runs_that_were_asked_other_questions_are_refused(roots, capsys):
    first, out = roots / "a" / "grpo" / "seed1", roots / "out"
    for name, right, columns, said in (
        ("language", {"fr": [1, 1, 1, 1]}, {}, "4 of {first} were not asked of {other} (language en)"),
        ("split", RIGHT, {"split": "dev"}, "8 of {first} were not asked of {other} (split test)"),
        (
            "problems",
            {"fr": [1] * 5, "en": [1] * 5},
            {},
            "2 of {other} were not asked of {first} (such as 'p4' in en, test)",
        ),
        ("gold", RIGHT, {"gold": "7"}, "problem 'p0' in en has gold '7' there and '0' in another run"),
    ):
        other = finished_run(roots / name, right, method=name, **columns)
        message = refused(capsys, first, other, "--output", out)
        assert said.format(first=first, other=other) in message
        assert "Evaluate both" in message or "Compare runs on one benchmark" in message
    assert not out.exists()


def test_mistakes_are_named_and_nothing_of_others_is_written_over(roots, capsys):
    run = roots / "a" / "grpo" / "seed1"
    assert "--compared must be a method of these runs; got 'spt'" in refused(
        capsys, run, roots / "b" / "sft", "--compared", "spt", "--output", roots / "out"
    )
    assert "there is none. Finish its evaluation" in refused(capsys, roots / "nowhere", "--output", roots / "out")
    assert "holds other files" in refused(capsys, run, "--output", roots / "a")
    assert "must not be the report of a run" in refused(capsys, run, "--output", run / "evaluate")
    assert "is a file" in refused(capsys, run, "--output", run / "config.yaml")


def test_methods_without_a_common_seed_are_refused(roots, capsys):
    finished_run(roots / "c" / "seed7", WRONG, method="c", seed=7)
    message = refused(capsys, roots / "a" / "grpo", roots / "c", "--output", roots / "out")
    assert "needs a seed that both methods have; one has 1, 2, the other 7" in message
