"""The lock of a folder, and a file system that has none."""

import errno
import fcntl

import pytest

from src.common.errors import UserError
from src.common.lock import exclusive


def test_a_file_system_without_locks_is_said_and_the_work_goes_on(tmp_path, monkeypatch, capsys):
    def refuse(handle, operation):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with exclusive(tmp_path / "sft"):
        (tmp_path / "worked").touch()
    assert (tmp_path / "worked").exists() and "has no locks" in capsys.readouterr().err


def test_another_error_is_not_taken_for_that(tmp_path, monkeypatch):
    def refuse(handle, operation):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="Input/output"), exclusive(tmp_path / "sft"):
        pass


def test_a_lock_that_is_no_file_is_named(tmp_path):
    (tmp_path / ".sft.lock").mkdir()
    message = r"\.sft\.lock: a lock must be a file that can be written .*Delete it"
    with pytest.raises(UserError, match=message), exclusive(tmp_path / "sft"):
        pass
