"""Stages that are finished are trusted only as long as their results are what they were finished with."""

import json

import pytest

from src.common.errors import ConfigError, UserError
from src.pipeline import execute as module
from src.pipeline.stage import Planned
from src.store.directory import DONE, INPUTS


@pytest.fixture
def finished(tmp_path):
    planned = Planned("sft", tmp_path / "sft", "one", {"seed": 1}, "base")
    planned.result.mkdir(parents=True)
    (planned.result / "model.safetensors").write_bytes(bytes(range(100)))
    (planned.directory / "records.parquet").write_bytes(b"rows")
    (planned.directory / "metrics.jsonl").write_text("{}\n")
    module._claim(planned)
    module._finish(planned, 1.0)
    return planned


def test_what_is_whole_is_taken(finished):
    noted = json.loads((finished.directory / DONE).read_text())["checksums"]
    assert set(noted) == {"model/model.safetensors", "records.parquet"}
    (finished.directory / "metrics.jsonl").write_text("{}\n{}\n")  # nobody's input
    module.check_whole(finished)


def test_one_bit_that_flipped_is_named(finished):
    weights = finished.result / "model.safetensors"
    weights.write_bytes(bytes([1, *range(1, 100)]))
    with pytest.raises(UserError, match=r"model.safetensors is not what was written.*delete .*sft and run the same"):
        module.check_whole(finished)


def test_a_model_that_was_deleted_is_named_with_what_to_delete(finished):
    (finished.result / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"model.safetensors is missing.*delete .*sft"):
        module.check_whole(finished)


def test_torn_notes_end_nothing_and_hide_nothing(finished):
    (finished.directory / INPUTS).write_text('{"identity": "on')
    module._claim(finished)
    assert json.loads((finished.directory / INPUTS).read_text())["identity"] == "one"
    (finished.directory / INPUTS).write_text("")
    other = Planned("sft", finished.directory, "two", {"seed": 2}, "base")
    with pytest.raises(ConfigError, match="may be the work of another configuration"):
        module._claim(other)
    (finished.directory / DONE).write_text("")
    module.check_whole(finished)


def test_a_finished_run_is_shown_without_writing(finished):
    before = (finished.directory / INPUTS).stat().st_mtime_ns
    module._claim(finished)
    assert (finished.directory / INPUTS).stat().st_mtime_ns == before
