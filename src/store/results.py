"""Which model a name stands for, and which model it was trained from, as folders tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.common.files import replace_durably
from src.models.fingerprint import fingerprint
from src.store.directory import CONFIG, INPUTS, LAST_MODEL, MODEL, MODEL_STAGES, SHARED

FULL = "config.json"
ADAPTER = "adapter_config.json"


def model_at(name: str) -> str:
    """The folder of the model or adapters that `name` stands for: a folder of either, a run directory (its last model) or
    the folder of a stage; a hub name as it is.

    Raises:
        UserError: there is none.
    """
    folder = Path(name)
    if not folder.is_dir():
        if folder.is_absolute() or name.startswith(".") or name.count("/") != 1:
            raise UserError(f"{name}: no such folder of a model, and no such run directory. Check the path")
        return name
    if (folder / FULL).is_file() or (folder / ADAPTER).is_file():
        return name
    if (folder / CONFIG).is_file():
        return str(last_model(folder))
    if (folder / MODEL / FULL).is_file():
        return str(folder / MODEL)
    raise UserError(
        f"{name}: a folder to merge must hold a model (config.json), adapters (adapter_config.json) or a run (config.yaml); "
        "this one does not. Give one of those"
    )


def last_model(run: Path) -> Path:
    """The model that the last training stage of a run has left.

    Raises:
        UserError: the run trains none, or has not come so far.
    """
    import yaml

    config = yaml.safe_load((run / CONFIG).read_text(encoding="utf-8")) or {}
    makers = [stage for stage in config.get("stages") or () if stage in MODEL_STAGES]
    if not makers:
        raise UserError(
            f"{run}: a run to merge must train a model; its stages are {config.get('stages')}. Give another run"
        )
    stage = makers[-1]
    place: Path = run / stage / MODEL
    if stage in SHARED:
        place = _located(str(_json(run / LAST_MODEL).get(stage, "")), run) or place
    if not (place / FULL).is_file():
        raise UserError(
            f"{run}: a run to merge must have made its last model; stage {stage} has left none that is there. Give the same "
            "command again to finish the run, or give the folder of a model"
        )
    return place


def note_model(run: Path, stage: str, folder: Path) -> None:
    """Keep in a run's directory where the model of a stage lies; written when that is news."""
    noted = _json(run / LAST_MODEL)
    if noted.get(stage) != str(folder):
        replace_durably(run / LAST_MODEL, json.dumps(noted | {stage: str(folder)}, indent=1).encode())


def origin(folder: Path) -> str | None:
    """What identifies the model that the one in `folder` was trained from, through all stages of all runs: a hash of its
    weights, a hub name, or the identity of a pretraining. None where the folder does not tell."""
    note = _json(folder.parent / INPUTS)
    inputs = note.get("inputs")
    if not isinstance(inputs, dict):
        return None
    if isinstance(inputs.get("merge"), dict):
        value = inputs["merge"].get("origin")
        return None if value is None else str(value)
    start = str(note.get("model") or "")
    if not start:
        return str(note.get("identity"))
    place = _located(start, folder.parent.parent)
    if place is not None:
        return origin(place) or weights_of(place)
    return start if start == inputs.get("parent") else None


def weights_of(folder: Path) -> str:
    """A short hash of the weights in a folder."""
    return fingerprint(folder, (".safetensors",))


def _located(name: str, run: Path) -> Path | None:
    """The folder that was noted in a run, also when all runs have moved together; None where it is not there."""
    if not name:
        return None
    noted = Path(name)
    moved = [parent.joinpath(*noted.parts[-4:]) for parent in run.resolve().parents[:3]]
    return next((folder for folder in (noted, *moved) if (folder / FULL).is_file()), None)


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
