"""The error of a rank reaches whoever started it, once."""

import pytest

from src.distributed.spawn import RankFailed, launch

SAYS = """
import sys
from src.distributed.spawn import leave_error
leave_error(f"what is wrong: {sys.argv[1]}") or print("alone")
sys.exit(2)
"""


def test_ranks_that_fail_alike_are_one_error(tmp_path, monkeypatch, capfd):
    (tmp_path / "saying.py").write_text(SAYS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with pytest.raises(RankFailed, match="^what is wrong: here$"):
        launch("saying", ["here"], 3)
    assert capfd.readouterr() == ("", "")


def test_a_rank_without_a_message_is_named(tmp_path, monkeypatch):
    (tmp_path / "ending.py").write_text("import sys; sys.exit(5)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with pytest.raises(RankFailed, match="rank 0 of 1 ended with code 5"):
        launch("ending", [], 1)
