"""Which languages a model has seen in training, kept beside its weights: how many rows of each a stage trained on.

The note travels with the model, so that an evaluation of another run, or of a copy of the folder, knows what it reports on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from src.common.files import replace_durably
from src.store.directory import LANGUAGES

Rows = Mapping[str, Mapping[str, int]]  # stage -> language -> rows


def note_seen(model: Path, stage: str, start: str, languages: Iterable[str]) -> None:
    """Note in the folder `model` the languages of the rows that `stage` trained it on, one entry a row, and what the model
    that it started from (`start`, a folder or hub name) had seen."""
    before = dict(seen_rows(start) or {})
    counted = Counter(before.get(stage, {})) + Counter(languages)
    _write(model, before | {stage: dict(sorted(counted.items()))})


def note_merged(model: Path, parts: Sequence[str], base: str | None) -> None:
    """Note in the folder of a merged model what its `parts` have seen; nothing where that of one is unknown. The base
    itself, where it is one of them, adds nothing that the others have not."""
    (model / LANGUAGES).unlink(missing_ok=True)  # files beside the weights are those of the first part
    merged: dict[str, dict[str, int]] = {}
    for part in parts:
        rows = seen_rows(part)
        if rows is None and part == base:
            continue
        if rows is None:
            return
        for stage, counts in rows.items():
            there = merged.setdefault(stage, {})
            there |= {code: max(count, there.get(code, 0)) for code, count in counts.items()}
    _write(model, merged)


def seen_rows(model: str) -> Rows | None:
    """Stage -> language -> rows that the model in a folder was trained on; None where that is unknown."""
    try:
        note = json.loads((Path(model) / LANGUAGES).read_text(encoding="utf-8")) if model else None
    except (OSError, ValueError):
        return None
    if not isinstance(note, dict) or not all(isinstance(counts, dict) for counts in note.values()):
        return None
    return note


def seen_languages(model: str) -> list[str] | None:
    """The languages that the model in a folder has seen in training, sorted; None where that is unknown."""
    rows = seen_rows(model)
    return None if rows is None else sorted({code for counts in rows.values() for code in counts})


def _write(model: Path, rows: Rows) -> None:
    replace_durably(model / LANGUAGES, (json.dumps(rows, indent=1) + "\n").encode())
