"""The models of a merge: where they lie, what of them its result depends on, and whether they have one base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.errors import UserError
from src.config.schema import Config
from src.models.fingerprint import WEIGHTS_AND_SETTINGS, fingerprint
from src.store.results import ADAPTER, FULL, model_at, origin, weights_of

if TYPE_CHECKING:
    from src.models.merge.checkpoint import Model

FILES = (*WEIGHTS_AND_SETTINGS, ".jinja", ".model", ".txt")
DOWNLOADED = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]


def needs_start(config: Config) -> bool:
    """Whether the merge works with the model that the stage starts from: as its base, or as one of the models."""
    rule = config.merge
    based = rule.needs_base or any(_is_adapter(Path(name)) for name in rule.models)
    return (based and rule.base is None) or config.model.path in (*rule.models, rule.base)


def merge_inputs(config: Config, start: str) -> dict[str, Any]:
    """What the merged model depends on, the models by what is in them and not by where they lie; `start` is the model the
    stage starts from, which the stage's parent stands for.

    Raises:
        UserError: a model is not there, or they cannot be merged.
    """
    models, base = places(config, start)
    loaded = _opened(config, models, base)
    return config.merge.identity() | {
        "models": [_content(place, start) for place in models],
        "base": None if base is None else _content(base, start),
        "origin": _check_origins(models, base) if loaded else None,
    }


def open_models(config: Config, start: str) -> tuple[list[Model], Model | None]:
    """The models and their base (None where none is needed), compared with each other; of weights the headers are read.

    Raises:
        UserError: they cannot be merged.
    """
    models, base = places(config, start)
    opened = _opened(config, [_downloaded(place) for place in models], None if base is None else _downloaded(base))
    assert opened is not None
    return opened


def places(config: Config, start: str) -> tuple[list[str], str | None]:
    """Folders, or hub names, of the models and of the base that the merge needs."""
    rule = config.merge
    models = [start if name == config.model.path else model_at(name) for name in rule.models]
    if not (rule.needs_base or any(_is_adapter(Path(place)) for place in models)):
        return models, None
    return models, start if rule.base in (None, config.model.path) else model_at(rule.base)


def _opened(config: Config, models: list[str], base: str | None) -> tuple[list[Model], Model | None] | None:
    """None where a folder is not there yet: an earlier stage makes it, or it must be downloaded."""
    from src.models.merge.checkpoint import Adapter, Checkpoint
    from src.models.merge.compare import check_alike

    if not all(Path(place or "-").is_dir() for place in (*models, *([base] if base is not None else []))):
        return None
    whole = None if base is None else Checkpoint.of(Path(base))
    opened: list[Model] = []
    for place in map(Path, models):
        if _is_adapter(place):
            assert whole is not None
            _check_named_base(place, Path(whole.folder))
            opened.append(Adapter.of(place, whole))
        else:
            opened.append(Checkpoint.of(place))
    check_alike(config.merge, opened, whole)
    return opened, whole if config.merge.needs_base else None


def _check_origins(models: list[str], base: str | None) -> str | None:
    """The one base that the models were trained from, as far as their folders tell."""
    known = {place: origin(Path(place)) for place in models if not _is_adapter(Path(place))}
    if base is not None:
        known[base] = origin(Path(base)) or weights_of(Path(base))
    origins = {place: value for place, value in known.items() if value is not None}
    if len(set(origins.values())) > 1:
        listed = "\n".join(f"  - {place}: {value}" for place, value in origins.items())
        raise UserError(
            f"models to merge must be trained from one base; these are of several:\n{listed}\nMerge models of one base, or say "
            "which it is: merge.base=<folder> (model.path, where it is null)"
        )
    return next(iter(origins.values()), None)


def _check_named_base(adapter: Path, base: Path) -> None:
    """The base of adapters, where they name a folder that is there, has the weights of `base`."""
    named = json.loads((adapter / ADAPTER).read_text(encoding="utf-8")).get("base_model_name_or_path")
    if named and (Path(named) / FULL).is_file() and weights_of(Path(named)) != weights_of(base):
        raise UserError(
            f"{adapter}: adapters must be merged on the base that they were trained on; they name {named}, whose weights are "
            f"not those of {base}. Give it: merge.base={named}"
        )


def _content(place: str, start: str) -> str:
    if place == start:
        return "the model that the stage starts from"
    return f"files {fingerprint(Path(place), FILES)}" if Path(place).is_dir() else place


def _downloaded(place: str) -> str:
    """The folder of a model: a hub name's files are fetched, or taken from the cache of the hub."""
    if Path(place).is_dir():
        return place
    from huggingface_hub import snapshot_download

    try:
        return snapshot_download(place, allow_patterns=DOWNLOADED)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{place}: a model to merge must be a folder, a run directory or a hub name that can be fetched; this cannot "
            f"({type(error).__name__}: {str(error).splitlines()[0]}). Check the path, or the network"
        ) from None


def _is_adapter(folder: Path) -> bool:
    return (folder / ADAPTER).is_file() and not (folder / FULL).is_file()
