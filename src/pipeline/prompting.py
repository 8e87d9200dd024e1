"""What the prompts of a stage depend on beside the questions: the chat template by its text, and the date it writes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from src.models.spec import ModelSpec

DATED = ("strftime_now", "date_string")  # a template that holds one of them writes a date


def prompt_inputs(spec: ModelSpec, start: str) -> dict[str, Any]:
    """For a run that starts from the model `start`, whose template all its models keep; a template that only the hub knows
    counts by the model's name."""
    text = _template(spec, Path(start)) if start or spec.chat_template else ""
    inputs: dict[str, Any] = {"template": hashlib.sha256(text.encode()).hexdigest()[:12] if text else None}
    return inputs | ({"date": spec.date} if any(name in text for name in DATED) else {})


def _template(spec: ModelSpec, folder: Path) -> str:
    """The text of a chat template, with those beside it that a tokenizer may have; empty where there is none to read."""
    if spec.chat_template is not None:
        return Path(spec.chat_template).read_text(encoding="utf-8")
    files = [folder / "chat_template.jinja", *sorted(folder.glob("additional_chat_templates/*.jinja"))]
    if texts := [file.read_text(encoding="utf-8") for file in files if file.is_file()]:
        return "".join(texts)
    try:
        own = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template")
    except (OSError, ValueError, AttributeError):
        return ""
    return own if isinstance(own, str) else json.dumps(own) if own else ""
