"""DeepSpeed ZeRO on two ranks gives what one process gives, and their checkpoints are the same."""

import json

import pytest

from src.distributed.environment import LaunchEnvironment, launch_environment
from src.distributed.spawn import launch
from src.distributed.spec import DistributedSpec
from tests.helpers.zero_ranks import CASES

pytestmark = pytest.mark.xdist_group("zero")  # whose report is made once


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zero")
    launch("tests.helpers.zero_ranks", [str(folder)], 2)
    return json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize("zero", [0, 1, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_two_ranks_are_one_process(report, case, zero):
    """In chunks: one process has all logits at once, two ranks learn as they do through a large vocabulary."""
    differences = report[f"{case} zero {zero}"]
    assert differences.pop("moved") > 1e-3
    assert {what: off for what, off in differences.items() if not off < 1e-5} == {}


def test_who_started_the_ranks():
    assert launch_environment({}) == LaunchEnvironment() and not launch_environment({}).shared
    own = {"ADAMAME_RENDEZVOUS": "file:///tmp/x", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    assert (
        launch_environment(own) == LaunchEnvironment(1, 2, 1, "file:///tmp/x", own=True)
        and not launch_environment(own).shared
    )
    torchrun = {"TORCHELASTIC_RUN_ID": "none", "RANK": "9", "WORLD_SIZE": "16", "LOCAL_RANK": "1"}
    assert launch_environment(torchrun) == LaunchEnvironment(9, 16, 1, "env://") and launch_environment(torchrun).shared
    step = {
        "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_PROCID": "5",
        "SLURM_LOCALID": "1",
        "SLURM_STEP_NODELIST": "gpu[07-09,12]",
        "SLURM_JOB_ID": "3",
        "SLURM_STEP_ID": "2",
    }
    assert launch_environment(step) == LaunchEnvironment(5, 8, 1, "tcp://gpu07:20095")
    assert launch_environment(step | {"SLURM_STEP_NODELIST": "a-1,a-2"}).rendezvous == "tcp://a-1:20095"
    assert launch_environment(step | {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "5"}).rendezvous == "tcp://10.0.0.1:5"
    assert launch_environment(step | {"SLURM_STEP_NUM_TASKS": "1"}) == LaunchEnvironment()  # a batch script's own step


def test_rules_of_splitting():
    assert DistributedSpec(zero=3, offload="all").violations() == []
    assert "distributed.zero must be 0, 1, 2 or 3; got 4" in DistributedSpec(zero=4).violations()
    for wrong in (DistributedSpec(offload="optimiser"), DistributedSpec(zero=2, offload="all")):
        (message,) = wrong.violations()
        assert "needs distributed.zero=1, 2 or 3" in message
