"""Durations as people read them, and how commands end."""

import errno
import os
import re
import subprocess
import sys

import pytest

from src.common.console import carry_out, clock
from src.common.errors import UserError
from tests.helpers.paths import ROOT


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.9, "1:01"), (3723, "1:02:03")])
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UserError("do this"), 2, "error: do this\n"),
        (KeyboardInterrupt(), 130, "\ninterrupted; the same command again resumes\n"),
        (OSError(errno.ENOSPC, "No space", "/d/f"), 2, "error: the disk is full (/d/f). Make room, then give the same"),
        (PermissionError(errno.EACCES, "Permission denied", "/d/f"), 2, "error: /d/f: permission denied. Give a place"),
    ],
)
def test_what_ends_a_command_is_one_sentence(error, code, text, capsys):
    def command():
        raise error

    assert carry_out(command) == code
    assert capsys.readouterr().err.startswith(text)


def test_a_command_goes_through_and_its_own_faults_stay():
    assert carry_out(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        carry_out(lambda: 1 // 0)


def run(*arguments, **environment):
    command = [sys.executable, "-m", "src", "preview", "ja", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | environment
    )


def test_a_reader_that_goes_is_no_error():
    process = run("3000")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 0 and process.stderr.read() == b""


def test_a_terminal_without_our_signs_gets_them_escaped():
    process = run("1", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and errors == b"" and b"\\u" in output


def test_every_text_file_is_read_and_written_as_utf_8():
    calls = re.compile(r"\.(?:read_text|write_text)\((?P<arguments>(?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
    bare = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in (ROOT / "src").rglob("*.py")
        for match in calls.finditer(path.read_text(encoding="utf-8"))
        if "encoding" not in match["arguments"] and "limit.read_text()" not in path.read_text(encoding="utf-8")
    ]
    assert bare == []
