"""Checkpoints: a run goes on bit for bit, what does not fit is refused, and a full disk loses nothing."""

import errno
import json

import pytest
import torch

from src.common.files import CheckpointError
from src.distributed.ranks import Ranks
from src.distributed.spec import OptimiserSpec
from src.store import checkpoints as module
from src.store.checkpoints import Checkpoints
from src.training.learner import Learner
from tests.helpers.tiny import trained


def test_a_restored_run_goes_on_bit_for_bit(tmp_path):
    straight = trained(6)
    Checkpoints(tmp_path, "id").save(3, trained(3).state(), {"schedule": {"a": 1}})
    fresh = trained(0)
    assert Checkpoints(tmp_path, "id").restore(fresh) == (3, {"schedule": {"a": 1}})
    trained(3, fresh)
    assert torch.equal(fresh.policy.weight, straight.policy.weight)


def test_only_the_last_are_kept_and_a_torn_one_is_not_seen(tmp_path):
    checkpoints = Checkpoints(tmp_path, "id", keep=2)
    for step in (1, 2, 3):
        checkpoints.save(step, trained(1).state())
    (tmp_path / ".step-000004.partial").mkdir()
    assert checkpoints.steps() == [2, 3]


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    learner = trained(1)
    Checkpoints(tmp_path, "one").save(1, learner.state())
    with pytest.raises(CheckpointError, match="another configuration.*one.*two"):
        Checkpoints(tmp_path, "two").restore(learner)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    Checkpoints(tmp_path, "id").save(1, trained(1).state())
    other = Learner(torch.nn.Linear(3, 2, bias=False), OptimiserSpec(), Ranks())
    with pytest.raises(CheckpointError, match="do not fit the model; they differ in bias"):
        Checkpoints(tmp_path, "id").restore(other)


def test_a_full_disk_is_said_and_loses_nothing(tmp_path, monkeypatch):
    state = trained(1).state()
    checkpoints = Checkpoints(tmp_path, "id")
    checkpoints.save(1, state)

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "write_durably", full)
    with pytest.raises(CheckpointError, match="the disk is full.*Nothing written earlier is lost"):
        checkpoints.save(2, state)
    assert checkpoints.steps() == [1] and not list(tmp_path.glob(".*partial"))
    assert json.loads((tmp_path / "step-000001" / "state.json").read_text())["step"] == 1


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: halved(folder / "weights.safetensors"),
        lambda folder: flipped(folder / "weights.safetensors"),
        lambda folder: flipped(folder / "optimiser.safetensors"),
        lambda folder: (folder / "optimiser.safetensors").unlink(),
        lambda folder: (folder / "state.json").write_text(""),
        lambda folder: (folder / "state.json").write_text("[]"),
        lambda folder: (folder / "state.json").write_text(
            (folder / "state.json").read_text().replace('"schedule": 1', '"schedule": 3')
        ),
        lambda folder: (folder / "state.json").write_bytes((folder.parent / "step-000002" / "state.json").read_bytes()),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_and_said(tmp_path, spoil):
    checkpoints = Checkpoints(tmp_path, "id")
    checkpoints.save(2, trained(2).state())
    checkpoints.save(3, trained(3).state(), {"schedule": 1})
    spoil(tmp_path / "step-000003")
    fresh, said = trained(0), []
    assert checkpoints.restore(fresh, said.append) == (2, {})
    assert torch.equal(fresh.policy.weight, trained(2).policy.weight)
    assert len(said) == 1 and "step-000003 is damaged" in said[0]


def test_with_no_whole_checkpoint_the_stage_starts_anew_and_a_later_one_goes(tmp_path):
    (tmp_path / "step-999999").mkdir(parents=True)
    checkpoints = Checkpoints(tmp_path, "id")
    assert checkpoints.restore(trained(0), lambda _: None) == (0, {})
    checkpoints.save(1, trained(1).state())
    assert checkpoints.steps() == [1]
