"""What a run directory remembers of its Weights & Biases run, in `wandb.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from src.store.directory import FILES, METRICS, WANDB, RunDirectory
from src.tracking.metrics_file import read_metrics

NOTE = WANDB  # the id of the run, and the last step that was sent of each stage


def state(home: Path) -> dict[str, Any]:
    """`id` of the W&B run of `home`, and `sent` (stage -> last step that was sent or exported); empty without one."""
    path = home / NOTE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"id": str(content["id"]), "sent": {str(name): int(step) for name, step in content["sent"].items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def is_behind(home: Path, shared: bool = False) -> bool:
    """Whether W&B lacks anything of the stages in `home`, as far as `wandb.json` there tells; `shared` as in
    `WandbRun`."""
    content = state(home)
    agent = None if shared else os.environ.get("WANDB_RUN_ID")
    sent = content.get("sent", {}) if agent in (None, content.get("id")) else {}
    last_lines = [line for path in metrics_files(home) for line in read_metrics(path)[-1:]]
    paths = RunDirectory(home)
    results = {"evaluate": paths.records, "report": paths.report / FILES}
    return any(line["step"] > sent.get(line["stage"], 0) for line in last_lines) or any(
        stage not in sent for stage, file in results.items() if file.is_file()
    )


def metrics_files(home: Path) -> list[Path]:
    """The `metrics.jsonl` of a stage that runs share, whose home is its own folder, or of all stages of a run."""
    return [*home.glob(METRICS), *sorted(home.glob(f"*/{METRICS}"))]


def is_unsent(home: Path) -> bool:
    """Whether `home` holds an offline run that `wandb sync` has not sent."""
    logs = (home / "wandb").glob("offline-run-*/run-*.wandb")
    return any(not path.with_suffix(".wandb.synced").is_file() for path in logs)
