"""Components by discovery: a module of a package holds one frozen dataclass, and `conf/<group>/` the yaml files."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from pathlib import Path

from src.common.errors import ConfigError

CONF = Path(__file__).resolve().parents[2] / "conf"


COMPONENTS = {
    "schedule": "src.algorithm.schedules",
    "reward": "src.rewards",
    "benchmark": "src.data.benchmarks",
}


def components(group: str) -> dict[str, type]:
    """Module name -> component class of a group, classes_by_name by walking its package."""
    package = importlib.import_module(COMPONENTS[group])
    support = {"base", *getattr(package, "SUPPORT", ())}
    classes_by_name = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name in support:
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        classes = [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if member.__module__ == module.__name__ and dataclasses.is_dataclass(member)
        ]
        if len(classes) != 1:
            raise ConfigError(
                f"{module.__name__} must define exactly one dataclass, the component; it defines {len(classes)}"
            )
        classes_by_name[info.name] = classes[0]
    return classes_by_name


def choices(group: str) -> list[str]:
    """Names of the yaml files of a configuration group."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))
