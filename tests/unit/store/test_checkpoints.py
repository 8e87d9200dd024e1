"""Checkpoints, updates, ranks and streams."""

import errno
import json

import pytest
import torch

from src.common.files import CheckpointError
from src.common.seeds import stream
from src.distributed.ranks import Ranks, RanksLost
from src.distributed.spec import OptimiserSpec
from src.store import checkpoints as module
from src.store.checkpoints import Checkpoints
from src.training.learner import Learner, NotFinite


def trained(steps, learner=None):
    if learner is None:
        torch.manual_seed(0)
        learner = Learner(torch.nn.Linear(3, 2), OptimiserSpec(learning_rate=0.1), Ranks())
    for _ in range(steps):
        loss = learner.policy(torch.ones(1, 3)).pow(2).sum()
        learner.backward(loss)
        learner.update(0.1, loss.item(), "test")
    return learner


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


def test_a_loss_that_is_not_finite_changes_nothing():
    learner = trained(1)
    before = learner.policy.weight.clone()
    for bad in (float("nan"), float("inf")):
        learner.policy(torch.ones(1, 3)).sum().backward()
        with pytest.raises(NotFinite, match="grpo step 3.*weights were not changed"):
            learner.update(0.1, bad, "grpo step 3")
    assert torch.equal(learner.policy.weight, before)


def test_learning_rates_by_hand():
    spec = OptimiserSpec(learning_rate=1.0, warmup=0.2, decay="cosine")
    assert [round(spec.rate(u, 10), 4) for u in (0, 1, 2, 6, 9)] == [0.5, 1.0, 1.0, 0.5, 0.0381]
    assert OptimiserSpec(learning_rate=0.3).rate(7, 10) == 0.3


def test_share_and_gather_are_inverse_on_one_rank():
    assert Ranks(1, 3).share([0, 1, 2, 3, 4, 5, 6]) == [1, 4]
    assert Ranks().gather(Ranks().share([3, 1, 2])) == [3, 1, 2]


def test_a_rank_that_is_left_alone_says_who_it_waits_for(monkeypatch):
    def lost(*_, **__):
        raise RuntimeError("Timed out waiting 5000ms for recv operation to complete\nmore")

    for name in ("all_gather_object", "all_reduce", "barrier"):
        monkeypatch.setattr(torch.distributed, name, lost)
    ranks, weight = Ranks(1, 4), torch.nn.Parameter(torch.ones(2))
    for wait, purpose in (
        (lambda: ranks.gather([1]), "gather"), (lambda: ranks.sum([1.0]), "numbers"),
        (lambda: ranks.sum_gradients([weight]), "gradients"), (ranks.wait, "end a stage"),
    ):  # fmt: skip
        with pytest.raises(RanksLost, match=rf"rank 1 of 4 has waited 0 s .* {purpose}.*5000ms for recv.*goes on"):
            wait()


def test_streams_differ_in_every_part_and_never_change():
    assert stream("rollout", 0, 1, 2) != stream("rollout", 0, 2, 1)
    assert stream("rollout", 0, 1, 2) == 1598873731056578900
