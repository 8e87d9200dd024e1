"""A SLURM of one node on this machine, for tests: `python -m tests.helpers.slurm start|stop <folder>`.

Everything it has lies in the folder: configuration, key, sockets, state, logs, pid files. SLURM's programs find it by
the environment variable SLURM_CONF=<folder>/slurm.conf. It needs root and Debian's slurm-wlm and munge (or the like).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")
CPUS = 4  # jobs side by side are jobs of one CPU; SLURM does not ask how many there are
CONFIGURATION = """\
ClusterName=adamame-tests
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller}
SlurmdPort={node}
# cred_expire: a requeued job waits for that long, two minutes by default and five seconds at least
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
ReturnToService=2
KillWait=3
SlurmdParameters=config_overrides
NodeName=localhost CPUs={cpus} State=UNKNOWN
PartitionName=tests Nodes=localhost Default=YES MaxTime=60 State=UP
"""


def missing() -> str:
    """Why there can be no SLURM here; empty when there can."""
    if absent := [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]:
        return f"needs SLURM and munge (Debian: apt-get install slurm-wlm munge); not found: {', '.join(absent)}"
    return "" if os.geteuid() == 0 else "needs root, to start SLURM's daemons"


def start(folder: Path) -> None:
    """Start munged, slurmctld and slurmd and wait until the node takes jobs.

    Raises:
        RuntimeError: it does not within 30 seconds; the message holds the ends of the logs.
    """
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # munged refuses folders that others may write to
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(folder=folder, controller=_free_port(), node=_free_port(), cpus=CPUS)
    )
    munge = [f"--socket={folder}/munge.socket", f"--key-file={key}", f"--pid-file={folder}/munged.pid"]
    munge += [f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed", "--force"]
    _run(["munged", *munge], folder)
    _run(["slurmctld"], folder)
    _run(["slurmd", "-N", "localhost"], folder)
    deadline = time.time() + 30
    while "idle" not in (state := _run(["sinfo", "-h", "-o", "%T"], folder, check=False)):
        if time.time() > deadline:
            logs = (f"{path.name}:\n{path.read_text(errors='replace')[-1500:]}" for path in folder.glob("*.log"))
            stop(folder)
            raise RuntimeError(f"the node takes no jobs; its state: {state}\n" + "\n".join(logs))
        time.sleep(0.2)


def stop(folder: Path) -> None:
    """Cancel what runs, then end the daemons by their pid files and wait until they are gone."""
    if (folder / "slurmctld.pid").is_file():
        _run(["scancel", "--user", "root"], folder, check=False)
        deadline = time.time() + 15
        while _run(["squeue", "-h"], folder, check=False).strip() and time.time() < deadline:
            time.sleep(0.2)
    for name in ("slurmd", "slurmctld", "munged"):
        path = folder / f"{name}.pid"
        try:
            pid = int(path.read_text())
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(pid, 0)
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            continue


def environment(folder: Path) -> dict[str, str]:
    """The environment in which SLURM's programs find this SLURM, and no other."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "SBATCH_", "SQUEUE_"))}
    return own | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # where the daemons are


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("localhost", 0))
        return int(held.getsockname()[1])


def _run(command: list[str], folder: Path, check: bool = True) -> str:
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("start", "stop"):
        sys.exit(__doc__)
    if reason := missing():
        sys.exit(reason)
    (start if sys.argv[1] == "start" else stop)(Path(sys.argv[2]).resolve())
