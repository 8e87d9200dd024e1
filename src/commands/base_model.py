"""Remake the base model that comes with the repository: `python -m src base-model`."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from src.config.directory import directory_of
from src.pipeline.plan import shipped_base
from src.store.directory import DONE, INPUTS

OVERRIDES = ["+experiment=pretrain", "scale=laptop", "seed=0", "distributed.processes=1"]


def remake() -> None:
    """Pre-train with the demo's settings, then put the model into the repository with a note of its making."""
    subprocess.run([sys.executable, "-m", "src.run", *OVERRIDES], check=True)
    run = directory_of(OVERRIDES)
    inputs = json.loads((run / "evaluate" / INPUTS).read_text(encoding="utf-8"))
    model = Path(inputs["model"])
    folder = shipped_base("small")
    done = json.loads((model.parent / DONE).read_text(encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder)
    note = {
        "command": "make base-model",
        "commit": done["commit"],
        "sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "seconds": done["seconds"],
    }
    (folder / "made_by.json").write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(note, indent=2))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    argparse.ArgumentParser(prog="python -m src base-model", description=__doc__).parse_args(arguments)
    remake()
    return 0
