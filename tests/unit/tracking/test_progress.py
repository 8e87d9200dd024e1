"""Progress and provenance: what a launcher reads, what a log shows, and what is never told."""

import json
import time

import pytest

from src.store import provenance
from src.tracking.progress import Progress


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.delenv("ADAMAME_PROGRESS", raising=False)
    monkeypatch.delenv("ADAMAME_STATUS", raising=False)
    return monkeypatch


def test_the_status_file_holds_where_the_stage_is(tmp_path, plain):
    with Progress(4, "grpo", "step", 1, tmp_path / "grpo") as progress:
        path = tmp_path / "grpo" / "status.json"
        assert json.loads(path.read_text())["step"] == 1
        progress.advance(3, "accuracy 0.50")
        status = json.loads(path.read_text())
    assert status.pop("eta_seconds") == 0.0
    assert status == {"stage": "grpo", "step": 4, "total": 4, "message": "accuracy 0.50"}


def test_the_time_left_counts_only_what_this_process_did(tmp_path, plain):
    progress = Progress(30, "grpo", "step", 10, tmp_path)
    assert progress.eta_seconds is None
    progress.began = time.monotonic() - 5
    progress.advance(5)
    assert progress.eta_seconds == pytest.approx(15, abs=0.5)  # 5 steps in 5 s, 15 to go


def test_without_a_terminal_lines_are_rare(tmp_path, plain, capsys):
    with Progress(50, "sft", "step", 0, tmp_path) as progress:
        for _ in range(50):
            progress.advance()
    assert capsys.readouterr().out.splitlines() == ["sft: 50/50 step, 0 s left  "]


def test_progress_can_be_silent_and_still_tells_the_launcher(tmp_path, plain, capsys):
    plain.setenv("ADAMAME_PROGRESS", "off")
    plain.setenv("ADAMAME_STATUS", str(tmp_path / "elsewhere.json"))
    with Progress(2, "sft", "step", 0, tmp_path / "sft") as progress:
        progress.advance(2)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
    assert json.loads((tmp_path / "elsewhere.json").read_text())["step"] == 2


def test_a_status_that_cannot_be_written_ends_no_run(tmp_path, plain):
    (tmp_path / "file").write_text("")
    with Progress(1, "sft", "step", 0, tmp_path / "file" / "sft") as progress:
        progress.advance(1)
    assert progress.done == 1


def test_the_commit_is_unknown_outside_a_checkout(tmp_path, monkeypatch):
    inner = tmp_path / "unpacked"
    inner.mkdir()
    (tmp_path / ".git").mkdir()  # some other checkout around it
    monkeypatch.setattr(provenance, "ROOT", inner)
    assert provenance.commit() == "unknown"
    assert provenance.provenance()["commit"] == "unknown"
