"""Components by discovery: a module of a package holds one frozen dataclass, and `conf/<group>/` the yaml files."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import pkgutil
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from src.common.errors import ConfigError

CONF = Path(__file__).resolve().parents[2] / "conf"
COMPONENTS = {
    "schedule": "src.algorithm.schedules",
    "reward": "src.rewards",
    "benchmark": "src.data.benchmarks",
    "merge": "src.models.merge",
    "mix": "src.data.mixes",
    "selector": "src.selectors",
    "strategy": "src.strategies",
}


def components(group: str) -> dict[str, type]:
    """Module name -> component class of a group, found by walking its package; modules that the package calls `SUPPORT` are
    none.

    Raises:
        ConfigError: a module does not define exactly one dataclass.
    """
    package = importlib.import_module(COMPONENTS[group])
    support = {"base", *getattr(package, "SUPPORT", ())}
    names = [info.name for info in pkgutil.iter_modules(package.__path__) if info.name not in support]
    return {name: component(group, name) for name in names}


def component(group: str, name: str) -> type:
    """The one component class of the module `name` of a group.

    Raises:
        ConfigError: the module does not define exactly one dataclass.
    """
    module = _imported(f"{COMPONENTS[group]}.{name}")
    classes = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__ and dataclasses.is_dataclass(member)
    ]
    if len(classes) != 1:
        names = ", ".join(cls.__name__ for cls in classes) or "none"
        fix = (
            "Move the others to base.py, or to a module outside this package or in its SUPPORT"
            if classes
            else "Define it"
        )
        raise ConfigError(
            f"{_short(Path(str(module.__file__)))} must define exactly one dataclass, the component of group {group}; "
            f"it defines {len(classes)} ({names}). {fix}"
        )
    return classes[0]


def choices(group: str) -> list[str]:
    """Names of the yaml files of a configuration group."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def choice(group: str, name: str) -> tuple[type, dict[str, Any]]:
    """The component class that `conf/<group>/<name>.yaml` inherits from, and the settings it gives to it. The file is read
    as it is: nothing of a run's configuration is in the settings.

    Raises:
        ConfigError: the file inherits from no schema of its group, or from several.
    """
    import yaml

    path = CONF / group / f"{name}.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    prefix = f"/schema/{group}/"
    schemas = [
        entry.removeprefix(prefix)
        for entry in content.pop("defaults", [])
        if isinstance(entry, str) and entry.startswith(prefix)
    ]
    if len(schemas) != 1:
        raise ConfigError(
            f"{_short(path)} must have exactly one {prefix}<module> in its defaults; it has {len(schemas)}"
        )
    module, _, package = schemas[0].partition("@")
    settings = content if package == "_here_" else content.get(group, {})
    return component(group, module), settings


def _imported(name: str) -> ModuleType:
    """The module. Raises `ConfigError` where it cannot be imported; the message has the file, the line and the error."""
    try:
        return importlib.import_module(name)
    except ConfigError:
        raise
    except Exception as error:
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec is not None and spec.origin is not None else name
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == origin]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        raise ConfigError(
            f"the component {_short(Path(origin))} cannot be imported: {type(error).__name__}: {error}"
            + ("" if line is None else f" (line {line})")
        ) from error


def _short(path: Path) -> str:
    """A path as it is from the folder that holds `conf/`."""
    return str(path.relative_to(CONF.parent)) if path.is_relative_to(CONF.parent) else str(path)
