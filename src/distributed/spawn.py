"""Start the ranks of one stage on this machine and wait; if one fails, none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from src.common.errors import UserError

ERRORS = "ADAMAME_ERRORS"  # in the environment of a rank: the folder for the message that it ends with
PARENT = "ADAMAME_PARENT"  # in the environment of a process that is to end with the one that started it: whose number


class RankFailed(UserError):
    """A rank ended with an error: its own message, or where it stands."""


def launch(module: str, arguments: Sequence[str], processes: int) -> None:
    """Run `python -m module *arguments` as `processes` ranks.

    Raises:
        RankFailed: a rank's exit code was not 0; the others are stopped first.
    """
    with tempfile.TemporaryDirectory(prefix="ranks-") as folder:
        environment = dict(os.environ)
        environment["ADAMAME_RENDEZVOUS"] = (Path(folder) / "rendezvous").as_uri()
        environment["WORLD_SIZE"] = str(processes)
        environment[PARENT] = str(os.getpid())
        environment[ERRORS] = folder
        if not any(key in environment for key in ("GLOO_SOCKET_IFNAME", "SLURM_JOB_ID")):
            environment["GLOO_SOCKET_IFNAME"] = "lo"  # one machine: no name lookup, no firewall
        ranks = [
            subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            )
            for rank in range(processes)
        ]
        try:
            _wait(ranks, Path(folder))
        finally:
            for process in ranks:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
            for process in ranks:
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


def die_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it, and said so in `PARENT`, is killed (Linux;
    elsewhere nothing)."""
    parent = os.environ.get(PARENT)
    if parent is None or not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGKILL)


def leave_error(message: str) -> bool:
    """Hand the error that ends this rank to whoever started it, who prints it once; whether there is such a one."""
    folder = os.environ.get(ERRORS)
    if folder is None:
        return False
    (Path(folder) / f"error-{os.environ.get('RANK', '0')}").write_text(message, encoding="utf-8")
    return True


def _wait(ranks: list[subprocess.Popen[bytes]], folder: Path) -> None:
    while True:
        codes = [process.poll() for process in ranks]
        failed = [(rank, code) for rank, code in enumerate(codes) if code not in (None, 0)]
        if failed:
            left = folder / f"error-{failed[0][0]}"
            if left.is_file():
                raise RankFailed(left.read_text(encoding="utf-8"))
            raise RankFailed(
                f"rank {failed[0][0]} of {len(ranks)} ended with code {failed[0][1]}; see its message above"
            )
        if all(code == 0 for code in codes):
            return
        time.sleep(0.05)
