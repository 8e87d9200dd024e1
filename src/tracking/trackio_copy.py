"""Trackio: a run on this machine for each stage, which `trackio show` reads; its name is in `<stage>/trackio.json`."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from src.store.directory import SHARED_FOLDER, TRACKIO
from src.tracking.spec import TrackingSpec

REMOTE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


class TrackioCopy:
    """The run `name` of `project`."""

    def __init__(self, project: str, name: str, group: str) -> None:
        import trackio

        self.library: Any = trackio
        with _here():
            self.run: Any = trackio.init(
                project=project, name=name, group=group, embed=False, auto_log_gpu=False, auto_log_cpu=False
            )

    def log(self, step: int, metrics: Mapping[str, float], rollouts: list[dict[str, Any]]) -> None:
        values: dict[str, Any] = dict(metrics)
        if rollouts:
            columns = list(rollouts[0])
            values["rollouts"] = self.library.Table(columns=columns, data=[list(row.values()) for row in rollouts])
        self.run.log(values, step=step)

    def close(self) -> None:
        self.library.finish()


def begin(folder: Path, stage: str, spec: TrackingSpec) -> TrackioCopy:
    """The copy of the stage in `folder`: a new run, or the one that it has had, emptied. Raises `ImportError` without the
    package."""
    import trackio

    from src.common.files import replace_durably

    home = folder if folder.parent.name == SHARED_FOLDER else folder.parent
    group = home.name if home is folder else f"{home.parent.name}-{home.name}"
    note = _note(folder)
    if note is None:
        name = group if home is folder else f"{group}-{stage}"
        note = {"project": spec.project, "name": f"{name}-{uuid.uuid4().hex[:6]}"}
        replace_durably(folder / TRACKIO, json.dumps(note).encode())
    else:
        with _here():
            runs = _runs(trackio, note["project"])
        for run in runs:
            if run.name == note["name"]:
                run.delete()
    return TrackioCopy(note["project"], note["name"], group)


def exists(folder: Path) -> bool:
    """Whether the stage in `folder` has a copy."""
    return _note(folder) is not None


def _runs(trackio: Any, project: str) -> list[Any]:
    try:
        return list(trackio.Api().runs(project))
    except ValueError:  # its files were removed
        return []


def _note(folder: Path) -> dict[str, str] | None:
    try:
        content = json.loads((folder / TRACKIO).read_text(encoding="utf-8"))
        return {"project": str(content["project"]), "name": str(content["name"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _here() -> Iterator[None]:
    """Without what would send a run elsewhere: there, it could not be emptied."""
    hidden = {name: os.environ.pop(name) for name in REMOTE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
