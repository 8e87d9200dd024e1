"""Which of how many ranks this process is: started by this project, by torchrun, or by srun as one task for each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LaunchEnvironment:
    """`local` counts the ranks of one machine; `rendezvous` is the address where all meet, none for a process alone.

    `own` ranks work on one stage, for a process of this project that waits for them; others carry out the whole run.
    """

    rank: int = 0
    size: int = 1
    local: int = 0
    rendezvous: str | None = None
    own: bool = False

    @property
    def shared(self) -> bool:
        """Whether several processes carry out the run together."""
        return self.rendezvous is not None and not self.own


def launch_environment(environment: Mapping[str, str] = os.environ) -> LaunchEnvironment:
    """This process's rank, from the variables that the launcher has set."""
    if url := environment.get("ADAMAME_RENDEZVOUS"):
        rank, size, local = (int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        return LaunchEnvironment(rank, size, local, url, own=True)
    if "TORCHELASTIC_RUN_ID" in environment:
        rank, size, local = (int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        return LaunchEnvironment(rank, size, local, "env://")
    if int(environment.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        rank, size, local = (
            int(environment[name]) for name in ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID")
        )
        return LaunchEnvironment(rank, size, local, f"tcp://{_host(environment)}:{_port(environment)}")
    return LaunchEnvironment()


def _host(environment: Mapping[str, str]) -> str:
    """The machine of rank 0: the first of the step's, `node[07-09,12]` being SLURM's short form of several."""
    if given := environment.get("MASTER_ADDR"):
        return given
    match = re.match(r"([^\[,]+)(?:\[(\w+)[^\]]*\]([^,]*))?", environment["SLURM_STEP_NODELIST"])
    assert match is not None
    return "".join(part or "" for part in match.groups())


def _port(environment: Mapping[str, str]) -> int:
    """One that another job on the same machine is unlikely to have."""
    job = int(environment.get("SLURM_JOB_ID", "0"))
    step = int(environment.get("SLURM_STEP_ID", "0"))
    return int(environment.get("MASTER_PORT", 20_000 + (job * 31 + step) % 20_000))
