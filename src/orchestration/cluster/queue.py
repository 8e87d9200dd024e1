"""What SLURM knows of jobs, asked with `squeue`: accounting (`sacct`) need not be there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable


def in_queue(jobs: Iterable[str]) -> dict[str, str] | None:
    """Job id -> state, such as PENDING or RUNNING, of those that wait, run or are about to end; None without an answer."""
    wanted = set(jobs)
    if not wanted:
        return {}
    arrays = ",".join(sorted({job.split("_")[0] for job in wanted}))
    command = ["squeue", "--noheader", "--array", "--format=%i %T", f"--jobs={arrays}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode and "Invalid job id" not in done.stderr:  # which is its word for: none of them any more
        return None
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2 and row[0] in wanted}
