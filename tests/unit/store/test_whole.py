"""What a finished stage left is checked by whoever reads it; what is lost of its history is said."""

import json

import pytest

from src.common.checksums import is_whole, note_checksum, noted_damage, sealed
from src.common.errors import UserError
from src.store.whole import check_source, done_of, gaps, lost_history, source_damage, sums_of_stage
from tests.helpers.damage import flip, halve


@pytest.fixture
def stage(tmp_path):
    """The folder of a finished stage with a model, data and a history."""
    folder = tmp_path / "grpo"
    (folder / "model").mkdir(parents=True)
    (folder / "rollouts").mkdir()
    (folder / "model" / "model.safetensors").write_bytes(bytes(range(200)))
    (folder / "model" / "languages.json").write_text('{"grpo": {"fr": 5}}')
    (folder / "prompts.jsonl").write_text('{"problem": "1"}\n' * 9)
    (folder / "records.parquet").write_bytes(b"rows" * 9)
    (folder / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    (folder / "rollouts" / "step-000001.parquet").write_bytes(b"rollouts")
    (folder / "done.json").write_text(json.dumps(sealed({"identity": "one", **sums_of_stage(folder)})))
    return folder


@pytest.mark.parametrize("spoil", [flip, halve, lambda path: path.unlink()])
@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("model/model.safetensors", "model"),
        ("model/languages.json", "model"),
        ("prompts.jsonl", "prompts.jsonl"),
        ("records.parquet", "records.parquet"),
    ],
)
def test_every_trusted_file_is_checked_by_whoever_takes_it(stage, name, asked, spoil):
    check_source(stage / asked)
    spoil(stage / name)
    with pytest.raises(UserError, match=rf"{name.rpartition('/')[2]} is .*: delete .*grpo and give the command"):
        check_source(stage / asked)
    assert lost_history(stage) == []


@pytest.mark.parametrize("name", ["metrics.jsonl", "rollouts/step-000001.parquet"])
def test_a_history_that_lost_a_file_says_so_and_the_results_stay(stage, name):
    (stage / name).unlink()
    assert lost_history(stage) == [f"{stage / name} is missing"]
    assert source_damage(stage / "model") is None


def test_a_damaged_note_vouches_for_nothing_and_blames_nothing(stage):
    flip(stage / "done.json", 0.3)
    assert done_of(stage) is None
    flip(stage / "model" / "model.safetensors")
    assert source_damage(stage / "model") is None and lost_history(stage) == []
    assert source_damage(stage.parent / "elsewhere.jsonl") is None


def test_a_note_is_sealed_by_its_values():
    note = {"step": 3, "extra": {1: [0.1, None]}, "text": "là"}
    read = json.loads(json.dumps(sealed(note)))
    assert is_whole(read) and is_whole({"step": 3})
    assert not is_whole(read | {"step": 4}) and not is_whole(read | {"more": 1})


def test_a_file_that_is_trusted_on_the_way_has_its_checksum_beside_it(tmp_path):
    path = tmp_path / "part.parquet"
    path.write_bytes(b"part of a table")
    assert noted_damage(path) is None  # of an earlier version: nobody noted it
    note_checksum(path)
    assert noted_damage(path) is None
    flip(path)
    assert "its checksum differs" in noted_damage(path)
    path.unlink()
    assert noted_damage(path) == f"{path} is missing"


def test_gaps_are_named_as_runs_of_steps():
    assert gaps([1, 2, 3], 3) == "" and gaps([], 0) == ""
    assert gaps([2, 6], 8) == "1, 3-5, 7-8"
