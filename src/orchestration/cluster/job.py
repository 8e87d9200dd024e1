"""One job: the command of one run, from the copy of the code that was made when it was submitted.

submitit loads it on the node and calls it. The run is a process of its own, so that whatever happens to it, the job can
tell and clean up. What SLURM may do meanwhile:

time is nearly up, or `scancel --signal=USR2`   the run is stopped and the job queued again, see `SlurmJob.checkpoint`
pre-emption, `scontrol requeue`                 SLURM ends the job and queues it again by itself
`scancel`                                       SLURM ends the job

A run resumes from its last checkpoint to the same weights, so it may be killed at any moment.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.orchestration.cluster import record
from src.store.directory import ERROR, LOG

TO_REQUEUE = signal.SIGUSR2  # what submitit asks SLURM to send
GRACE_S = 60.0  # for SLURM to say, after SIGTERM, that the job is to be queued again, or to end it


class JobFailed(UserError):
    """A run ended with an error, which its directory holds."""


@dataclass
class SlurmJob:
    """`overrides` are those of the run's command, `directory` is where it lives."""

    overrides: tuple[str, ...]
    directory: Path
    child: subprocess.Popen[bytes] | None = None
    ending: bool = False
    command: tuple[str, ...] = field(default=("-m", "src.run"))

    def __call__(self) -> None:
        """Carry out the run.

        Raises:
            JobFailed: it ended with an error. SLURM then has the job as failed.
        """
        rank = int(os.environ.get("SLURM_PROCID", "0"))  # of the tasks of a job, the first tells
        signal.signal(signal.SIGTERM, self._told_to_end)
        if not rank:
            record.change(self.directory, job=job_id(), state="running")
        command = [sys.executable, *self.command, *self.overrides, "hydra.mode=RUN"]
        libc = ctypes.CDLL(None)

        def prepare() -> None:
            """SLURM signals all processes of a job: the run must not end before this one knows what is to be."""
            signal.signal(TO_REQUEUE, signal.SIG_IGN)
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: none is left when this one is killed

        with (self.directory / (f"rank{rank}-{LOG}" if rank else LOG)).open("ab") as log:
            began = log.tell()
            self.child = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=prepare
            )
        try:
            self.child.returncode = code = end_of(self.child.pid)
        except Exception as error:  # submitit does not queue it again: it ran out of time too often, or SLURM said no
            (self.directory / ERROR).write_text(
                f"{str(error).rstrip('.')} (cluster.minutes, cluster.requeues)\n", encoding="utf-8"
            )
            record.change(self.directory, state="failed")
            raise
        finally:
            stop(self.child.pid)
        if rank:
            time.sleep(
                GRACE_S if code else 0
            )  # the first may have been told to end, and has yet to queue the job again
            sys.exit(bool(code))
        if code and (self.ending or code == -signal.SIGTERM):
            record.change(self.directory, state="stopped")
            time.sleep(GRACE_S)
            sys.exit(128 + signal.SIGTERM)
        record.change(self.directory, state="failed" if code else "done")
        if code:
            raise JobFailed(why(self.directory, code, began))

    def checkpoint(self) -> Any:
        """What submitit does at its signal, before it asks SLURM to queue the job again: stop the run, keep the command."""
        from submitit.helpers import DelayedSubmission

        # SLURM ends what it queues again by SIGTERM; this process ends by itself
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.child is not None:
            stop(self.child.pid)
        held = record.read(self.directory) or record.Record()
        record.change(self.directory, state="queued", requeues=held.requeues + 1)
        return DelayedSubmission(SlurmJob(self.overrides, self.directory, command=self.command))

    def _told_to_end(self, *_: object) -> None:
        """SLURM kills the job soon, or queues it again: then the run's end is no failure."""
        self.ending = True


def job_id() -> str:
    """SLURM's id of this job, as `squeue` shows it: that of an array has its place there."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ.get("SLURM_JOB_ID", "")


def end_of(child: int) -> int:
    """Wait for a process; its exit code, or minus the signal that ended it. Not `Popen.wait`: that holds a lock, for which
    a signal handler that comes in between, to stop the same process, would wait forever."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def stop(child: int) -> None:
    """Kill a run with its ranks and graders, which are its process group, and wait until they are gone."""
    deadline = time.time() + 10
    with contextlib.suppress(ProcessLookupError):
        while time.time() < deadline:
            os.killpg(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
            time.sleep(0.02)


def why(directory: Path, code: int, began: int = 0) -> str:
    """The error of a run that ended with `code`; where it left none, one is made from its log (after `began` bytes)."""
    path = directory / ERROR
    if not path.is_file():
        with (directory / LOG).open("rb") as log:
            log.seek(began)
            lines = log.read().decode(errors="replace").strip().splitlines()
        text = lines[-1] if lines else f"ended with code {code} and without a message"
        if code < 0:
            text = f"killed by {signal.Signals(-code).name}; where it is SIGKILL, memory ran out (cluster.memory_gb)"
        path.write_text(f"{text}\n", encoding="utf-8")
    return path.read_text(encoding="utf-8", errors="replace").strip()
