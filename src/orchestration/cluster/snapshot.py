"""A copy of code and configuration for jobs that wait: what is edited meanwhile does not reach them."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from src.common.registry import CONF
from src.store.provenance import commit

PARTS = ("src", "conf", "experiments/base_model")


def snapshot(folder: Path) -> Path:
    """`<folder>/code`, made where it is missing: src, conf, the base model that a run may start from, and the commit in COMMIT."""
    code = folder / "code"
    if not code.is_dir():
        partial = folder / ".code.partial"
        for part in PARTS:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(CONF.parent / part, partial / part, ignore=ignored, dirs_exist_ok=True)
        (partial / "COMMIT").write_text(f"{commit()}\n", encoding="utf-8")
        partial.replace(code)
    return code


def shell_lines(code: Path) -> list[str]:
    """What a job's script says first, so that it and all its processes import the copy, wherever they run.

    The job works in the folder where it was submitted, so that a relative root means the same; PYTHONSAFEPATH keeps
    Python from importing what lies there.
    """
    return [f"export PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}", "export PYTHONSAFEPATH=1"]
