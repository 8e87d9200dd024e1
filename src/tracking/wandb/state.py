"""What a run directory remembers of its Weights & Biases run, in `wandb.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from src.tracking.metrics_file import read_metrics

NOTE = "wandb.json"  # the id of the run, and the last step that was sent of each stage


def note(home: Path) -> dict[str, Any]:
    """What `home` remembers of its W&B run: `id`, and `sent` (stage -> last step); empty without one."""
    path = home / NOTE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {"id": str(found["id"]), "sent": {str(name): int(step) for name, step in found["sent"].items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def lacks(directory: Path) -> bool:
    """Whether W&B lacks anything of the stages in the run directory, as far as `wandb.json` there tells."""
    held, agent = note(directory), os.environ.get("WANDB_RUN_ID")
    sent = held.get("sent", {}) if agent in (None, held.get("id")) else {}
    last = {path.parent.name: read_metrics(path)[-1:] for path in directory.glob("*/metrics.jsonl")}
    here = {"evaluate": "evaluate/records.parquet", "report": "report/files.json"}
    return any(line["step"] > sent.get(stage, 0) for stage, lines in last.items() for line in lines) or any(
        stage not in sent for stage, file in here.items() if (directory / file).is_file()
    )
