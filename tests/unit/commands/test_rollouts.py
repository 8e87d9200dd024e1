"""The browser of rollouts on a command line: output, exit codes, and what reaches a terminal."""

import os
import pty
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from src.commands.rollouts import main, short_names
from src.store.directory import RunDirectory
from src.store.rollouts import rollouts_file
from tests.helpers.paths import ROOT
from tests.helpers.rollouts import write_records, write_steps

WRONG = {"correct": False, "status": "wrong", "answer": "6"}


def lines_of(capsys, *words, code=0):
    """What a command prints, without blank lines."""
    assert main(list(map(str, words))) == code
    output = capsys.readouterr()
    return [line for line in (output.err if code else output.out).splitlines() if line]


def next_words(line):
    """The arguments of the command that the last line ends with."""
    return shlex.split(line.partition("python -m src rollouts ")[2])


def test_rollouts_are_shown_with_their_count_and_the_next_command(tmp_path, capsys):
    run = write_steps(tmp_path / "a run", [{}, WRONG, WRONG, {"language": "ja"} | WRONG])
    lines = lines_of(capsys, run, "--wrong", "--language", "fr", "--limit", 1)
    assert [line for line in lines if line.startswith(("step", "gold", "read"))] == [
        "step 1  group 0  question fr  trace fr  wrong  in language  reward 1  factor 0.25  term 0.25  advantage +0.500  tokens 12",
        "gold: 5",
        "read: 6  (box)",
    ]
    assert lines[-1].startswith("1 shown of 2 that match, of 4 rollouts. More: python -m src rollouts ")
    assert next_words(lines[-1]) == [str(run), "--wrong", "--language", "fr", "--limit", "2"]
    more = lines_of(capsys, *next_words(lines[-1]))
    assert more[-1].startswith("2 shown of 2 that match, of 4 rollouts. The group of the last: ")
    whole = lines_of(capsys, *next_words(more[-1]))
    assert whole[0] == "step 1  group 0  problem p1  question fr  3 completions: 1 right, 3 in language"


def test_ten_are_shown_where_nobody_says_how_many(tmp_path, capsys):
    run = write_steps(tmp_path, [{}] * 8, [{}] * 8)
    lines = lines_of(capsys, run)
    assert lines[-1].startswith("10 shown of 16 that match, of 16 rollouts.")
    assert sum(line.startswith("step 2") for line in lines) == 2


def test_a_group_is_shown_whole_one_step_after_another(tmp_path, capsys):
    group = [{"group": 4}] * 12
    run = write_steps(tmp_path, [{}, *group], [{}, *group])
    one = lines_of(capsys, run, "--group", 4)
    assert one[0].startswith("step 1  group 4  problem p1  question fr  12 completions: 12 right")
    assert one[-1].startswith("12 shown of 24 that match, of 26 rollouts. More: ")
    two = lines_of(capsys, *next_words(one[-1]))
    assert sum("12 completions" in line for line in two) == 2
    assert two[-1].startswith("24 shown of 24")


def test_the_weight_is_told_where_the_term_multiplies(tmp_path, capsys):
    run = write_steps(tmp_path, [{}])
    (run / "config.yaml").write_text("objective: {advantage: {alignment: {form: multiply}}}\nmodel: {thinks: false}\n")
    lines = lines_of(capsys, run)
    assert "factor 0.25  weight 1.25" in lines[0]
    assert "completion (2 sentences)" in lines


def test_a_run_without_grpo_shows_its_records(tmp_path, capsys):
    run = write_records(
        tmp_path, [{"problem": "-3+5", "sample": 0}, {"problem": "-3+5", "sample": 1} | WRONG, {"language": "ja"}]
    )
    lines = lines_of(capsys, run, "--wrong")
    assert lines[0].startswith("split test  problem -3+5  sample 1  question fr  trace fr  wrong")
    whole = lines_of(capsys, *next_words(lines[-1]))  # an id that begins as an option does
    assert whole[0] == "split test  problem -3+5  question fr  2 completions: 1 right, 2 in language"


def test_records_of_a_run_with_grpo_are_shown_when_asked_for(tmp_path, capsys):
    run = write_records(write_steps(tmp_path, [{}]), [{}, {}])
    assert lines_of(capsys, run)[-1].startswith("1 shown of 1 that match, of 1 rollouts.")
    assert lines_of(capsys, run, "--evaluation")[-1].startswith("2 shown of 2 that match, of 2 records.")


def test_nothing_that_matches_is_no_error(tmp_path, capsys):
    run = write_steps(tmp_path, [{}])
    assert lines_of(capsys, run, "--search", "absent") == [
        f"0 shown of 0 that match, of 1 rollouts. All: python -m src rollouts {shlex.quote(str(run))}"
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--language", "xx"], "--language must be one of the run's, fr; got 'xx'"),
        (["--step", "9"], "--step must be one of the run's, 1; got 9"),
        (["--step", "-1"], "--step must be one of the run's, 1; got -1"),
        (["--limit", "0"], "--limit must be 1 or more; got 0"),
        (["--evaluation"], "must hold evaluation records"),
        (["--detected", "\x1b[2J"], "\\x1b[2J"),
    ],
)
def test_mistakes_are_one_line_without_a_trace(tmp_path, capsys, words, message):
    lines = lines_of(capsys, write_steps(tmp_path, [{}]), *words, code=2)
    assert len(lines) == 1 and message in lines[0]


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_a_folder_that_is_no_run_is_an_error(tmp_path, capsys, name):
    (tmp_path / "empty").mkdir()
    [line] = lines_of(capsys, tmp_path / name, code=2)
    assert "must be a run directory" in line


def terminal_output(run, *words, **environment):
    """What the command writes to a terminal of 60 columns."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "src", "rollouts", str(run), *words]
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    variables |= {"TERM": "xterm-256color", "COLUMNS": "60"} | environment
    process = subprocess.Popen(command, cwd=ROOT, stdin=child, stdout=child, stderr=child, env=variables)
    os.close(child)
    output = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # Linux says so of a terminal that nobody writes to any more
            break
        if not part:
            break
        output += part
    os.close(parent)
    assert process.wait() == 0
    return output.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours_and_no_escape_of_a_completion(tmp_path):
    hostile = "Un \x1b[2J\x1b]0;owned\x07 \u202e mot [red]rouge[/red]. Two words. </think>5"
    run = write_steps(tmp_path, [{"completion": hostile, "switches": ["45 fr>en"]}])
    output = terminal_output(run)
    assert re.findall(r"\x1b(?!\[[0-9;]*m)", output) == []
    assert "\x07" not in output and "\u202e" not in output
    assert "38;5;" in output
    shown = re.sub(r"\x1b\[[0-9;]*m", "", output)
    assert "\\u001b[2J\\u001b]0;owned\\u0007" in shown and "[red]rouge[/red]" in shown
    assert "38;5;" not in terminal_output(run, NO_COLOR="1")


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}])
def test_a_pipe_gets_plain_text(tmp_path, environment):
    run = write_steps(tmp_path, [{"completion": "\x1b[31mété </think>5"}])
    command = [sys.executable, "-m", "src", "rollouts", str(run)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, env=os.environ | environment, check=True)
    assert b"\x1b" not in done.stdout and b"\\u001b[31m" in done.stdout


def test_the_first_ten_of_many_are_there_at_once(tmp_path, capsys):
    """Of 50,000 rollouts; processor time of the command itself, without the start of Python."""
    text = "On ajoute. We add. " * 50 + "</think>5"
    rows = [{"group": number // 8, "completion": text} for number in range(1000)]
    run = write_steps(tmp_path, *[rows] * 50)
    began = time.process_time()
    lines = lines_of(capsys, run, "--language", "fr")
    assert time.process_time() - began < 2
    assert lines[-1].startswith("10 shown of 50,000 that match, of 50,000 rollouts.")


def test_a_page_of_runs_says_what_it_holds(tmp_path, capsys):
    one = write_records(write_steps(tmp_path / "grpo" / "seed0", [{}, WRONG]), [{}])
    other = write_records(tmp_path / "sft" / "seed0", [{}, {"language": "ja"}])
    page = tmp_path / "new" / "rollouts.html"
    [line] = lines_of(capsys, one, other, one, "--page", page)
    assert line == f"{page}: 2 rollouts and 3 records of 2 runs, {page.stat().st_size / 1e6:.1f} MB"
    assert "<title>Rollouts of 2 runs</title>" in page.read_text()


@pytest.mark.parametrize(
    ("words", "held"),
    [
        ([], "4 rollouts and 2 records"),
        (["--wrong"], "1 rollouts and 0 records"),
        (["--language", "ja"], "1 rollouts and 1 records"),
        (["--language", "de"], "0 rollouts and 1 records"),  # which the rollouts do not have
        (["--step", "2"], "1 rollouts and 0 records"),
        (["--group", "0"], "4 rollouts and 0 records"),
        (["--evaluation"], "0 rollouts and 2 records"),
        (["--evaluation", "--group", "p2"], "0 rollouts and 1 records"),
        (["--search", "combien"], "4 rollouts and 2 records"),
    ],
)
def test_a_page_holds_what_matches(tmp_path, capsys, words, held):
    run = write_steps(tmp_path / "run", [{}, WRONG, {"language": "ja"}], [{}])
    write_records(run, [{"language": "ja"}, {"language": "de", "problem": "p2"}])
    [line] = lines_of(capsys, run, *words, "--page", tmp_path / "a.html")
    assert f": {held} of 1 run, " in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--page", "rollouts"], "--page must be the name of a file that ends in .html; got rollouts"),
        (["--page", "a.html", "--limit", "5"], "--limit and --whole are of the terminal"),
        (["--page", "a.html", "--whole"], "--limit and --whole are of the terminal"),
        (["--page", "a.html", "--language", "xx"], "--language must be one of the run's, fr; got 'xx'"),
        (["--page", "a.html", "--step", "7"], "--step must be one of the run's, 1; got 7"),
        (["--page", "a.html", "--search", "absent"], "no rollout and no record matches"),
        (["--page", "a.html", "--evaluation"], "must hold evaluation records"),
        (["other"], "several runs are shown on a page: add --page FILE.html"),
    ],
)
def test_a_page_that_cannot_be_made_is_an_error(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    write_steps(tmp_path / "run", [{}])
    [line] = lines_of(capsys, "run", *words, code=2)
    assert message in line
    assert not (tmp_path / "a.html").exists()


def test_a_damaged_step_is_left_out_of_a_page_and_named(tmp_path, capsys):
    run = write_steps(tmp_path, [{}], [{}])
    path = rollouts_file(RunDirectory(run).rollouts, 1)
    path.write_bytes(path.read_bytes()[:100])
    assert main([str(run), "--page", str(tmp_path / "a.html")]) == 0
    output = capsys.readouterr()
    assert f"note: {path} is damaged; its rollouts are left out" in output.err
    assert ": 1 rollouts and 0 records of 1 run, " in output.out


def test_runs_are_called_by_as_many_folders_as_tell_them_apart():
    runs = [Path("/a/x/grpo/seed0"), Path("/a/y/grpo/seed0"), Path("/seed0")]
    assert short_names(runs) == ["x/grpo/seed0", "y/grpo/seed0", "/seed0"]
    assert short_names(runs[:1]) == ["grpo/seed0"]


def test_a_page_of_50_000_rollouts_is_made_in_seconds(tmp_path, capsys):
    """Processor time of the command itself, without the start of Python."""
    rows = [{"group": number // 8, "completion": "On ajoute. We add. " * 50 + "</think>5"} for number in range(1000)]
    run = write_steps(tmp_path / "run", *[rows] * 50)
    began = time.process_time()
    lines_of(capsys, run, "--page", tmp_path / "a.html")
    assert time.process_time() - began < 20
