"""Several runs of one command: where one ends badly the others go on, and it is listed at the end."""

import subprocess
import sys

from tests.helpers.paths import ROOT


def test_a_run_that_fails_does_not_end_the_others(tmp_path):
    """Of the three the second breaks a rule; the others draw their schedules."""
    command = [sys.executable, "-m", "src.run", "-m", "+experiment=grpo", f"root={tmp_path}", "debug=true"]
    command += ["grpo.prompts_per_step=4,3,2", "grpo.updates_per_step=2", "report.schedule_preview=true"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert len(list(tmp_path.rglob("schedule.png"))) == 2
    assert done.stderr.count("must be a multiple of grpo.updates_per_step") == 2  # where it is, and at the end
    assert "\nfailed: " in done.stderr and "grpo.prompts_per_step=3" in done.stderr.split("\nfailed: ")[1]
