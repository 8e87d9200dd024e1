"""Where a run lives: a function of its configuration, however that is written.

`<root>/<scale>/<method>/seed<seed>` is the run of an experiment at a scale as their files have it. What differs from those
gives the name a suffix, a hash of the differences: `schedule.maximum=1`, `=1.0`, `++schedule.maximum=1` are one run, and
naming a default is none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf

from src.common.identity import canonical
from src.config.compose import ASKED, Composition, compose
from src.config.paths import PATHS, expanded, place
from src.config.unchanging import CHANGE_NOTHING, READ_BY_ONE, is_among
from src.store.directory import STAGES

NOT_HASHED = CHANGE_NOTHING | {"method", "seed"}  # which are in the path
Key = tuple[str, ...]


def run_directory(composition: Composition, seed: int | None = None) -> Path:
    """Where the run lives (with another seed: `seed`). No time stamp, so that it resumes."""
    node = composition.node if seed is None else OmegaConf.merge(composition.node, {"seed": seed})
    assert isinstance(node, DictConfig)
    settings = _resolved(node)
    plain = _resolved(_with(_as_filed(composition.experiment, str(settings["scale"])), settings))
    different = differences(settings, plain)
    suffix = f"-{hashlib.sha256(json.dumps(different).encode()).hexdigest()[:8]}" if different else ""
    return Path(
        expanded(str(settings["root"])),
        str(settings["scale"]),
        str(settings["method"]),
        f"seed{settings['seed']}{suffix}",
    )


def directory_of(overrides: Sequence[str]) -> Path:
    """Where the run of `python -m src.run <overrides>` lives.

    Raises:
        UserError: they cannot be composed.
    """
    return run_directory(compose(overrides))


def differences(settings: Mapping[str, Any], others: Mapping[str, Any]) -> list[list[str]]:
    """`[key, value as JSON]` of each of the `settings` that is not so in `others`, and `[key]` of what is only there, by
    key; but for `NOT_HASHED`, and what none of the stages reads."""
    stages = settings.get("stages", STAGES)
    unread = frozenset().union(*(keys for stage, keys in READ_BY_ONE.items() if stage not in stages))
    here = dict(_leaves(settings))
    there = dict(_leaves(others))
    keys = sorted(key for key in here.keys() | there.keys() if not is_among(".".join(key), NOT_HASHED | unread))
    return [
        [".".join(key), here[key]] if key in here else [".".join(key)]
        for key in keys
        if here.get(key) != there.get(key)
    ]


@cache
def _as_filed(experiment: str | None, scale: str) -> DictConfig:
    """The configuration of an experiment at a scale without further overrides."""
    return compose([*([] if experiment is None else [f"+experiment={experiment}"]), f"scale={scale}"]).node


def _with(node: DictConfig, settings: Mapping[str, Any]) -> DictConfig:
    """A copy with those of the `settings` that are not hashed: others may refer to them."""
    copy = OmegaConf.merge(node)
    assert isinstance(copy, DictConfig)
    for key in sorted(NOT_HASHED):
        value: Any = settings
        for name in key.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            OmegaConf.update(copy, key, value, force_add=True)
    return copy


def _resolved(node: DictConfig) -> dict[str, Any]:
    """Plain values; a reference to what has no value yet has none either."""
    plain = OmegaConf.to_container(node, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _leaves(value: Any, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """The settings that are no dictionaries, as JSON; equal numbers alike, a path in one spelling, a file that is still to
    be given as none, and a component by the name of its class, wherever its module lies."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(str(inner).rpartition(".")[2] if name == "_target_" else inner, (*key, str(name)))
    else:
        value = place(value) if ".".join(key) in PATHS and value not in (ASKED, MISSING) else value
        yield key, json.dumps(None if value in (ASKED, MISSING) else canonical(value), sort_keys=True, default=str)
